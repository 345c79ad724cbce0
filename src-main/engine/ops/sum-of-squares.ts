import * as tf from '@tensorflow/tfjs-core';
import { ownKernel } from './own-kernel.ts';

/** Σ x² over all elements, a scalar: the order that a value lies in does not matter to it. No gradient follows from it. */
export const sumOfSquares = (x: tf.Tensor): tf.Scalar =>
  ownKernel('SumOfSquares', { x }, {}, () => tf.sum(tf.square(x))) as tf.Scalar;
