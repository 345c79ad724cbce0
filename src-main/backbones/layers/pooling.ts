import * as tf from '@tensorflow/tfjs-core';
import { type Build, plain } from './layer.ts';

/** Padding behind an axis that PyTorch's ceil_mode adds: so much that the last window that begins inside is whole. */
function behind(side: number, kernel: number, stride: number, pad: number): number {
  let windows = Math.ceil((side + 2 * pad - kernel) / stride) + 1;
  if ((windows - 1) * stride >= side + pad) windows--;
  return Math.max(pad, (windows - 1) * stride + kernel - side - pad);
}

export const maxPool: Build<'maxPool'> = ({ kernel, stride, pad, ceil }, { channels, padding }) =>
  plain(channels, (x) => {
    const image = x as tf.Tensor4D;
    if (padding === 'same' && pad > 0) return tf.maxPool(image, kernel, stride, 'same');
    if (!ceil) return tf.maxPool(image, kernel, stride, pad);
    const [after, right] = [x.shape[1]!, x.shape[2]!].map((side) => behind(side, kernel, stride, pad));
    if (after === pad && right === pad) return tf.maxPool(image, kernel, stride, pad, 'floor');
    return tf.maxPool(
      image,
      kernel,
      stride,
      [
        [0, 0],
        [pad, after],
        [pad, right],
        [0, 0],
      ] as never,
      'floor',
    );
  });

export const averagePool: Build<'averagePool'> = ({ kernel }, { channels }) =>
  plain(channels, (x) => tf.avgPool(x as tf.Tensor4D, kernel, kernel, 'valid'));

/** Mean over height and width: [batch, h, w, channels] → [batch, channels]. */
export const globalPool: Build<'globalPool'> = (_, { channels }) =>
  plain(channels, (x) => tf.mean(x, [1, 2]));

export const adaptivePool: Build<'adaptivePool'> = ({ side }, { channels }) =>
  plain(channels, (x) => alongRows(alongColumns(x as tf.Tensor4D, side), side));

/** A matrix [parts, side] of means over PyTorch's parts: from ⌊i side / parts⌋ to ⌈(i + 1) side / parts⌉. */
function meansOf(side: number, parts: number): tf.Tensor2D {
  const rows = Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * side) / parts);
    const to = Math.ceil(((part + 1) * side) / parts);
    return Array.from({ length: side }, (_, at) => (at >= from && at < to ? 1 / (to - from) : 0));
  });
  return tf.tensor2d(rows.flat(), [parts, side]);
}

function alongRows(x: tf.Tensor4D, parts: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (height === parts) return x;
  const means = tf.tile(tf.expandDims(meansOf(height, parts)), [batch, 1, 1]);
  const pooled = tf.matMul(means, tf.reshape(x, [batch, height, width * channels]));
  return tf.reshape(pooled, [batch, parts, width, channels]);
}

function alongColumns(x: tf.Tensor4D, parts: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (width === parts) return x;
  const means = tf.tile(tf.expandDims(meansOf(width, parts)), [batch * height, 1, 1]);
  const pooled = tf.matMul(means, tf.reshape(x, [batch * height, width, channels]));
  return tf.reshape(pooled, [batch, height, parts, channels]);
}
