import * as tf from '@tensorflow/tfjs-core';
import { ownKernels } from './own-kernel.ts';

/**
 * Layer norm over the last axis: y = γ r (x - μ) + β with r = 1/√(σ² + ε), every row by itself. Ba, Kiros and Hinton, «Layer
 * Normalization», 2016. With g = γ dy and x̂ = r (x - μ) its gradient is dx = r (g - E[g] - x̂ E[g x̂]).
 */
export function layerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  const op = tf.customGrad((...inputs) => {
    const [input, scale, offset, save] = inputs as unknown as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.GradSaveFunc,
    ];
    const [value, mean, r] = ownKernels('LayerNorm', { x: input, scale, offset }, { epsilon }, () => {
      const middle = tf.mean(input, -1, true);
      const centered = tf.sub(input, middle);
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), epsilon));
      return [tf.add(tf.mul(tf.mul(centered, inverse), scale), offset), middle, inverse];
    });
    save([input, scale, mean, r]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => gradient(dy, saved);
    return { value, gradFunc };
  });
  return op(x, gamma, beta);
}

function gradient(dy: tf.Tensor, [x, scale, mean, r]: tf.Tensor[]): tf.Tensor[] {
  return ownKernels('LayerNormGrad', { dy, x, scale, mean, r }, {}, () => {
    const rows = dy.shape.map((_, axis) => axis).slice(0, -1);
    const normal = tf.mul(tf.sub(x, mean), r);
    const product = tf.mul(dy, normal);
    const slope = tf.mul(dy, scale);
    const along = tf.mean(tf.mul(product, scale), -1, true);
    const centered = tf.sub(tf.sub(slope, tf.mean(slope, -1, true)), tf.mul(normal, along));
    return [tf.mul(centered, r), tf.sum(product, rows), tf.sum(dy, rows)];
  });
}
