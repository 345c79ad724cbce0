import type * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { term } from '../term.ts';

/**
 * Moving average of the weights: θ̄ ← d_t θ̄ + (1 − d_t) θ after every step, d_t = min(d, (1 + t) / (10 + t)) with t steps done
 * before, so that a short run averages over about its last tenth instead of keeping what it began with. Polyak and Juditsky,
 * «Acceleration of Stochastic Approximation by Averaging», SIAM J. Control Optim. 1992; the warm-up as in TensorFlow's
 * ExponentialMovingAverage. Batch norm's running statistics are averaged by the same rule: they lag as the weights do. What is
 * validated, selected, tested and kept is the average.
 */
export const movingAverage = term({
  name: 'moving-average',
  title: 'Moving average',
  help: 'evaluates and keeps a moving average of the weights instead of those of the last step',
  formula: 'θ̄ ← d_t θ̄ + (1 − d_t) θ, d_t = min(d, (1 + t) / (10 + t))',
  when: 'noisy validation curves, high learning rates near the end; where the rate has decayed to little it changes little',
  source:
    'Polyak and Juditsky, «Acceleration of Stochastic Approximation by Averaging», SIAM J. Control Optim. 1992; warm-up as in TensorFlow’s ExponentialMovingAverage, d below timm’s 0.9998, which is for long trainings',
  options: z.strictObject({
    decay: z
      .number()
      .min(0)
      .lt(1)
      .default(0.99)
      .meta({ title: 'Decay d', description: 'share of the average so far in the next, after the warm-up' }),
  }),
  feeds: {
    specs: () => ({ decay: { shape: [], dtype: 'float32' } }),
    values: (_shape, _network, { decay }, _random, step) => ({
      decay: Float32Array.of(Math.min(decay, (1 + step) / (10 + step))),
    }),
  },
  average: ({ fed }) => fed.decay as tf.Scalar,
});
