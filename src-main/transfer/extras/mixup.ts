import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { betaOf } from '../../data/beta.ts';
import { permutation } from '../../data/random.ts';
import { term } from '../term.ts';

/**
 * mixup: images λ x_i + (1 - λ) x_j with labels mixed alike, λ ~ Beta(α, α) once a batch, j a permutation of the batch.
 * Zhang et al., «mixup: Beyond Empirical Risk Minimization», ICLR 2018, equation 2. Mixed labels pick mixed rows of a
 * relationship. With cutmix besides, each step has one of the two.
 */
export const mixup = term({
  name: 'mixup',
  title: 'Mixup',
  help: 'trains on mixtures of two images, with their labels mixed alike',
  formula: 'x = λ x_i + (1 − λ) x_j, y = λ y_i + (1 − λ) y_j, λ ~ Beta(α, α)',
  when: 'long trainings that overfit; short ones learn less',
  source:
    'Zhang et al., «mixup: Beyond Empirical Risk Minimization», ICLR 2018, equation 2; α as in torchvision’s recipes',
  options: z.strictObject({
    alpha: z
      .number()
      .gt(0)
      .max(100)
      .default(0.2)
      .meta({ title: 'Mixing α', description: 'how even mixtures are: λ is drawn from Beta(α, α)' }),
  }),
  needs: ['images'],
  feeds: {
    specs: ({ batch }) => ({
      partners: { shape: [batch], dtype: 'int32' },
      share: { shape: [], dtype: 'float32' },
    }),
    values: ({ batch }, _, { alpha }, random) => ({
      partners: permutation(batch, random),
      share: Float32Array.of(betaOf(alpha, random)),
    }),
    idle: ({ batch }) => ({ partners: new Int32Array(batch), share: Float32Array.of(1) }),
  },
  mix({ images, labels }, { fed: { partners, share } }) {
    const rest = tf.sub(1, share);
    const mixed = <T extends tf.Tensor>(values: T): T =>
      tf.add(tf.mul(values, share), tf.mul(tf.gather(values, partners as tf.Tensor1D), rest)) as T;
    return { images: mixed(images), labels: mixed(labels) };
  },
});
