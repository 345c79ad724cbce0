import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { term } from '../term.ts';

const powers = { 'square-root': 0.5, inverse: 1 } as const;

/**
 * Class weights: an image of class c counts w_c ∝ n_c^(−p) in the mean cross-entropy on the target labels, n_c the number of
 * training images of the class, and the mean weight of a training image is 1, so that learning rates keep their meaning. With
 * p = 1 these are n / (K n_c), King and Zeng, «Logistic Regression in Rare Events Data», Political Analysis 2001, as in
 * scikit-learn's «balanced»; p = 1/2 as the sampling in Mahajan et al., «Exploring the Limits of Weakly Supervised
 * Pretraining», ECCV 2018. An image that mixup made
 * counts its labels' weights mixed alike.
 */
export const classWeights = term({
  name: 'class-weights',
  title: 'Class weights',
  help: 'lets images of rare classes count more',
  formula: 'Σ_i w_c(i) CE(H(F(x_i)), y_i) / batch, w_c ∝ n_c^(−p), mean over training images 1',
  when: 'classes of unequal size whose errors matter alike; overall accuracy may fall',
  source:
    'King and Zeng, «Logistic Regression in Rare Events Data», Political Analysis 2001; as scikit-learn’s «balanced»',
  options: z.strictObject({
    by: z.enum(['square-root', 'inverse']).default('inverse').meta({
      title: 'Weight by',
      description:
        'whether a class counts by the inverse of its number of training images or its square root',
    }),
  }),
  prepare: async ({ trainingImages }, { by }) => ({
    state: { weights: weightsOf(trainingImages, powers[by]) },
  }),
  state: ({ targetClasses }) => ({ weights: { shape: [targetClasses], dtype: 'float32' } }),
  weigh: (labels, { state }) => tf.matMul(labels, tf.reshape(state.weights, [-1, 1])),
});

/** w_c of every class; a class without images counts nothing. */
function weightsOf(images: readonly number[], power: number): Float32Array {
  const raw = images.map((count) => (count > 0 ? count ** -power : 0));
  const total = images.reduce((sum, count) => sum + count, 0);
  const weighed = images.reduce((sum, count, index) => sum + count * raw[index], 0);
  return Float32Array.from(raw, (weight) => (weight * total) / weighed);
}
