import type { z } from 'zod';
import type { CallName, CallOutput, Calls } from '../../src-shared/contract.ts';
import type { Base } from './base.ts';
import type { Experiments } from './experiments.ts';
import type { KeptFeatures } from './kept-features.ts';
import type { holdLease } from './lease.ts';
import type { Queue } from './queue.ts';
import type { Tasks } from './tasks.ts';

/** What every call works with. */
export interface Context extends Base {
  lease: ReturnType<typeof holdLease>;
  queue: Queue;
  experiments: Experiments;
  tasks: Tasks;
  features: KeptFeatures;
}

type Handler<N extends CallName> = (
  input: z.output<Calls[N]['input']>,
) => CallOutput<N> | Promise<CallOutput<N>>;

/** The implementation of some of the contract's calls, with their inputs already parsed. */
export type Handlers<N extends CallName = CallName> = { [K in N]: Handler<K> };
