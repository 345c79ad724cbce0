import * as tf from '@tensorflow/tfjs-core';
import type { Padding, Scope } from './backbone.ts';

/** Convolution without bias. `symmetric` pads (kernel-1)/2 on every side as PyTorch does; `same` pads as TensorFlow does. */
export function convolution(
  x: tf.Tensor4D,
  scope: Scope,
  name: string,
  stride: number,
  padding: Padding,
): tf.Tensor4D {
  const kernel = scope.tensor(`${name}.weight`) as tf.Tensor4D;
  return tf.conv2d(x, kernel, stride, padding === 'same' ? 'same' : (kernel.shape[0] - 1) / 2);
}

/** Depthwise convolution without bias, padded like `convolution`. */
export function depthwiseConvolution(
  x: tf.Tensor4D,
  scope: Scope,
  name: string,
  stride: number,
  padding: Padding,
): tf.Tensor4D {
  const kernel = scope.tensor(`${name}.weight`) as tf.Tensor4D;
  return tf.depthwiseConv2d(x, kernel, stride, padding === 'same' ? 'same' : (kernel.shape[0] - 1) / 2);
}

/** Mean over height and width: [batch, h, w, channels] → [batch, channels]. */
export const globalAveragePool = (x: tf.Tensor4D): tf.Tensor2D => tf.mean(x, [1, 2]);
