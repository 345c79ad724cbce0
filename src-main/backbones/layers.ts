import * as tf from '@tensorflow/tfjs-core';
import type { Padding, Scope } from './backbone.ts';

type Shape4 = [number, number, number, number];

/** `tf.conv2d` or `tf.depthwiseConv2d`, as far as layers use them. */
type Convolve = (
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  stride: number,
  pad: 'same' | 'valid' | number,
) => tf.Tensor4D;

/** Names of a convolution's tensors and its batch norm's. */
export interface ConvolutionNames {
  conv: string;
  norm: string;
}

/**
 * A convolution without bias, then batch norm. `symmetric` pads (kernel-1)/2 on every side as PyTorch does; `same` pads as
 * TensorFlow does.
 */
const normalized =
  (convolve: Convolve) =>
  (x: tf.Tensor4D, scope: Scope, { conv, norm }: ConvolutionNames, stride: number, padding: Padding) => {
    const kernel = scope.tensor(`${conv}.weight`) as tf.Tensor4D;
    const pad = padding === 'same' ? 'same' : (kernel.shape[0] - 1) / 2;
    const near = () => nearMean(convolve, x, kernel, stride, pad);
    return scope.batchNorm(convolve(x, kernel, stride, pad), norm, near);
  };

export const convolution = normalized(tf.conv2d);
export const depthwiseConvolution = normalized(tf.depthwiseConv2d);

/**
 * A value near the mean of a convolution's every output channel, [out channels]: its mean over the first image, were that of
 * one color. For a 1×1 kernel the color does not matter, and the value is within √batch standard deviations of the mean.
 */
export function nearMean(
  convolve: Convolve,
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  stride: number,
  pad: 'same' | number,
): tf.Tensor1D {
  const color: tf.Tensor4D = tf.mean(tf.slice(x, 0, 1), [1, 2], true);
  const window = tf.mul<tf.Tensor4D>(color, coverage(x.shape, kernel.shape, stride, pad));
  return tf.reshape(convolve(window, kernel, 1, 'valid'), [-1]);
}

/** For every position of a kernel: the share of the convolution's windows in which it is not on padding, [1, kh, kw, 1]. */
function coverage(x: Shape4, kernel: Shape4, stride: number, pad: 'same' | number): tf.Tensor {
  const { padInfo, ...sides } = tf.backend_util.computeConv2DInfo(x, kernel, stride, 1, pad);
  const along = (side: number, windows: number, size: number, before: number) =>
    Array.from({ length: size }, (_, position) => {
      const pixels = Array.from({ length: windows }, (_, window) => window * stride + position - before);
      return pixels.filter((pixel) => pixel >= 0 && pixel < side).length / windows;
    });
  const rows = along(sides.inHeight, sides.outHeight, sides.filterHeight, padInfo.top);
  const columns = along(sides.inWidth, sides.outWidth, sides.filterWidth, padInfo.left);
  return tf.tensor(
    rows.flatMap((row) => columns.map((column) => row * column)),
    [1, rows.length, columns.length, 1],
  );
}

/** Mean over height and width: [batch, h, w, channels] → [batch, channels]. */
export const globalAveragePool = (x: tf.Tensor4D): tf.Tensor2D => tf.mean(x, [1, 2]);
