import { randomOf } from '../data/random.ts';
import type { Arrays } from '../engine/engine.ts';
import type { Network } from './network.ts';
import type { TrainingOptions } from './step-plan.ts';
import { ownName } from './term.ts';

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
  const shape = { batch, size };
  const turns = terms.filter(({ term }) => term.feeds?.idle);
  const turn = turns.length > 1 ? turns[Math.floor(randomOf(seed, 'turn', step)() * turns.length)] : turns[0];
  for (const one of terms) {
    const { name, feeds } = one.term;
    const random = randomOf(seed, name, step);
    const idles = feeds?.idle && one !== turn;
    const values = idles
      ? feeds!.idle!(shape, one.options)
      : (feeds?.values(shape, network, one.options, random, step) ?? {});
    for (const [name, array] of Object.entries(values)) fed[ownName(one, name)] = array;
  }
  return fed;
}
