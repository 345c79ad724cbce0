import * as tf from '@tensorflow/tfjs-core';

/**
 * Runs a kernel of the product's own where the current backend has it (the tracing one), and otherwise what `compose`
 * makes of tf.js's kernels. tf.js records neither for gradients: call it inside `tf.customGrad`.
 */
export function ownKernels(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, unknown>,
  compose: () => tf.Tensor[],
): tf.Tensor[] {
  if (!tf.getKernel(name, tf.getBackend())) return compose();
  const made = tf.engine().runKernel(name, inputs, attributes as never);
  return Array.isArray(made) ? made : [made];
}

/** The same for a kernel with one result. */
export const ownKernel = (
  name: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, unknown>,
  compose: () => tf.Tensor,
): tf.Tensor => ownKernels(name, inputs, attributes, () => [compose()])[0];
