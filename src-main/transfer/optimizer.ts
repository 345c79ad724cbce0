import * as tf from '@tensorflow/tfjs-core';

/**
 * SGD with Nesterov momentum μ and weight decay w, as PyTorch's torch.optim.SGD does it (the first velocity being the
 * first gradient, which starting from zero gives): g ← g + w p; v ← μ v + g; p ← p - lr (g + μ v). `rate` is a scalar tensor.
 */
export function nesterovStep(
  parameter: tf.Tensor,
  gradient: tf.Tensor,
  velocity: tf.Tensor,
  rate: tf.Tensor,
  momentum: number,
  weightDecay: number,
): { parameter: tf.Tensor; velocity: tf.Tensor } {
  const decayed = tf.add(gradient, tf.mul(parameter, weightDecay));
  const next = tf.add(tf.mul(velocity, momentum), decayed);
  const step = tf.mul(tf.add(decayed, tf.mul(next, momentum)), rate);
  return { parameter: tf.sub(parameter, step), velocity: next };
}
