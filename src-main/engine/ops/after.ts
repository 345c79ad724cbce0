import type * as tf from '@tensorflow/tfjs-core';
import { ownKernel } from './own-kernel.ts';

/**
 * The scalar `x`, which is there only once `other` has been made: what takes it waits for both. Says in which order a compiled step
 * works where that decides how much it has to hold. No gradient follows from it.
 */
export const after = (x: tf.Tensor, other: tf.Tensor): tf.Scalar =>
  ownKernel('After', { x, other }, {}, () => x.clone()) as tf.Scalar;
