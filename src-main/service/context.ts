import type { z } from 'zod';
import type { CallName, CallOutput, Calls } from '../../src-shared/contract.ts';
import type { Store } from '../store/store.ts';
import type { Emit } from './events.ts';
import type { Home } from './home.ts';
import type { Queue } from './queue.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';
import type { Tasks } from './tasks.ts';

/** What the queue and the tasks work with. */
export interface Base {
  home: Home;
  store: Store;
  emit: Emit;
  spawnTrainer: SpawnTrainer;
  /** This process, as `identify` names it. */
  owner: string;
}

/** What every call works with. */
export interface Context extends Base {
  queue: Queue;
  tasks: Tasks;
}

type Handler<N extends CallName> = (
  input: z.output<Calls[N]['input']>,
) => CallOutput<N> | Promise<CallOutput<N>>;

/** The implementation of some of the contract's calls, with their inputs already parsed. */
export type Handlers<N extends CallName = CallName> = { [K in N]: Handler<K> };
