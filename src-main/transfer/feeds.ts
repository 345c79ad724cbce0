import { randomOf } from '../data/random.ts';
import type { Arrays } from '../engine/engine.ts';
import type { Network } from './network.ts';
import { ownName } from './term.ts';
import type { TrainingOptions } from './training-program.ts';

/** What a training program is fed at step `step` (from 0) beside the batch: it follows from (seed, step) alone. */
export function feedsAt(
  step: number,
  learningRate: number,
  network: Network,
  { terms = [], optimizer: { optimizer }, batch, size }: TrainingOptions,
  seed: number,
): Arrays {
  const fed: Arrays = { learning_rate: Float32Array.of(learningRate) };
  if (optimizer.countsSteps) fed.step = Float32Array.of(step + 1);
  for (const one of terms) {
    const random = randomOf(seed, one.term.name, step);
    const values = one.term.feeds?.values({ batch, size }, network, one.options, random, step) ?? {};
    for (const [name, array] of Object.entries(values)) fed[ownName(one, name)] = array;
  }
  return fed;
}
