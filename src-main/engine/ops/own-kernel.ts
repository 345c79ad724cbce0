import * as tf from '@tensorflow/tfjs-core';

/**
 * Runs a kernel of the product's own where the current backend has it (the tracing one), and otherwise what `compose`
 * makes of tf.js's kernels. tf.js records neither for gradients: call it inside `tf.customGrad`.
 */
export function ownKernel(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, unknown>,
  compose: () => tf.Tensor,
): tf.Tensor {
  if (!tf.getKernel(name, tf.getBackend())) return compose();
  return tf.engine().runKernel(name, inputs, attributes as never) as tf.Tensor;
}
