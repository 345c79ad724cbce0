import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Network } from '../network.ts';
import { term } from '../term.ts';

/**
 * StochNorm: every channel of a batch norm is normalized by the batch's statistics with probability p, by the running ones
 * otherwise, drawn anew at every step; scale and shift are shared, all running statistics learn from the batch, and evaluation
 * uses them. Kou, You, Long, Wang, «Stochastic Normalization», NeurIPS 2020.
 */
export const stochnorm = term({
  name: 'stochnorm',
  title: 'StochNorm',
  help: 'normalizes some channels by the running statistics instead of the batch’s, drawn anew at every step',
  formula: 'y = γ ((1 − s) (x − μ) / σ + s (x − μ_B) / σ_B) + β, s ~ Bernoulli(p) for every channel',
  when: 'few labels, and a network whose source labels fit; batches that are too small for statistics of their own',
  source: 'Kou, You, Long, Wang, «Stochastic Normalization», NeurIPS 2020; p as in its code',
  options: z.strictObject({
    probability: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .meta({
        title: 'Probability p',
        description: 'how likely a channel is normalized by the batch’s statistics',
        strength: [1, 0.5, 1.5, 0.2],
      }),
  }),
  needs: ['batch-norm'],
  excludes: {
    'frozen-batch-norm': 'frozen batch norm uses the running statistics for every channel.',
    'lp-ft': 'LP-FT uses the running statistics for every channel.',
  },
  feeds: {
    specs: (_, network) => ({ channels: { shape: [placesOf(network).total], dtype: 'float32' } }),
    values: (_, network, { probability }, random) => ({
      channels: Float32Array.from({ length: placesOf(network).total }, () => Number(random() < probability)),
    }),
  },
  batchStatistics(batchNorm, { fed }, network) {
    const { begin, size } = placesOf(network).of.get(batchNorm)!;
    return tf.slice(fed.channels as tf.Tensor1D, [begin], [size]);
  },
});

/** Where each batch norm's channels lie among those of all. */
function placesOf({ backbone }: Network): {
  of: Map<string, { begin: number; size: number }>;
  total: number;
} {
  const ending = '.running_mean';
  const of = new Map<string, { begin: number; size: number }>();
  let total = 0;
  for (const { name, shape } of backbone.tensors)
    if (name.endsWith(ending)) {
      of.set(name.slice(0, -ending.length), { begin: total, size: shape[0] });
      total += shape[0];
    }
  return { of, total };
}
