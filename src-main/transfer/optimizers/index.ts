import type { Optimizer } from '../optimizer.ts';
import { adamw } from './adamw.ts';
import { sgd } from './sgd.ts';

/** Every optimizer; the first is the default. */
export const optimizers: readonly Optimizer[] = [sgd, adamw];
