import type { z } from 'zod';
import type { Described } from '../transfer/part.ts';

/** Which pictures a training batch is made of. */
export interface Sampling extends Described<z.ZodObject> {
  /** The pictures of each step's batch, as places in `labels`; they follow from (seed, step) alone. */
  order(labels: ArrayLike<number>, batch: number, seed: number): (step: number) => Int32Array;
  /** What a person should know of `draws` draws from these pictures; null where nothing is out of the ordinary. */
  note?(labels: ArrayLike<number>, draws: number): string | null;
}
