import { z } from 'zod';
import { passes } from '../passes.ts';
import type { Sampling } from '../sampling.ts';

/**
 * Every epoch is a fresh permutation of the pictures; the rest of an epoch that fills no batch is dropped, and with fewer
 * pictures than a batch has, epochs follow each other within it.
 */
export const shuffled: Sampling = {
  name: 'shuffled',
  title: 'Shuffled',
  help: 'every picture once an epoch, in a new order',
  formula: 'a permutation of the pictures for each epoch; what fills no batch is dropped',
  source: 'Bottou, «Curiously Fast Convergence of some Stochastic Gradient Descent Algorithms», SLDS 2009',
  when: 'always, unless classes are of very unequal size and their errors matter alike',
  options: z.strictObject({}),
  order({ length }, batch, seed) {
    const orderOf = passes(length, seed, 'order');
    if (length < batch) {
      return (step) =>
        Int32Array.from({ length: batch }, (_, position) => {
          const drawn = step * batch + position;
          return orderOf(Math.floor(drawn / length))[drawn % length];
        });
    }
    const perEpoch = Math.floor(length / batch);
    return (step) => {
      const first = (step % perEpoch) * batch;
      return orderOf(Math.floor(step / perEpoch)).subarray(first, first + batch);
    };
  },
};
