import * as tf from '@tensorflow/tfjs-core';
import { ownKernels } from './own-kernel.ts';

/** x Φ(x), Φ being the normal distribution's; slope Φ(x) + x φ(x). Hendrycks and Gimpel, «Gaussian Error Linear Units», 2016. */
export function gelu<T extends tf.Tensor>(x: T): T {
  const op = tf.customGrad((...inputs) => {
    const [input, save] = inputs as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([input]);
    const [value] = ownKernels('Gelu', { x: input }, {}, () => [tf.mul(input, normalShare(input))]);
    const gradFunc = (dy: tf.Tensor, [kept]: tf.Tensor[]) =>
      ownKernels('GeluGrad', { dy, x: kept }, {}, () => {
        const density = tf.mul(tf.exp(tf.mul(tf.square(kept), -0.5)), 1 / Math.sqrt(2 * Math.PI));
        return [tf.mul(dy, tf.add(normalShare(kept), tf.mul(kept, density)))];
      })[0];
    return { value, gradFunc };
  });
  return op(x) as T;
}

/** Φ(x) = (1 + erf(x/√2))/2. */
const normalShare = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
