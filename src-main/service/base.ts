import type { Store } from '../store/store.ts';
import type { Emit } from './events.ts';
import type { Home } from './home.ts';
import type { Reader } from './reader.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';

/** What the queue and the tasks work with. */
export interface Base {
  home: Home;
  store: Store;
  emit: Emit;
  spawnTrainer: SpawnTrainer;
  /** Reads files that may come from anywhere. */
  reader: Reader;
  /** This opening of the home: see `lease.ts`. */
  owner: string;
}
