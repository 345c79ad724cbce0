import type { Store } from '../store/store.ts';
import type { Device } from './device.ts';
import type { Emit } from './events.ts';
import type { Home } from './home.ts';
import type { Jobs } from './jobs.ts';
import type { Reader } from './reader.ts';

/** What the queue and the tasks work with. */
export interface Base {
  home: Home;
  store: Store;
  emit: Emit;
  /** Whose turn it is to compute for long: see `device.ts`. */
  device: Device;
  /** Whatever a trainer process does but runs. */
  jobs: Jobs;
  /** Reads files that may come from anywhere. */
  reader: Reader;
  /** This opening of the home: see `lease.ts`. */
  owner: string;
}
