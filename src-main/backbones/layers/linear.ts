import * as tf from '@tensorflow/tfjs-core';
import { vector } from '../backbone.ts';
import type { Build } from './layer.ts';

/** x [..., in] · W + b, over the last axis of whatever comes in. */
export const linear: Build<'linear'> = ({ name, out, side, as }, { prefix, channels, width }) => {
  const at = prefix + name;
  const to = width(out);
  const weight = {
    name: `${at}.weight`,
    kind: 'linear' as const,
    shape: as === 'convolution' ? [to, channels, 1, 1] : [to, channels],
  };
  // Behind an image, PyTorch counts channels, rows, columns; here images are rows, columns, channels.
  const order = side
    ? { view: [to, channels / side ** 2, side, side], order: [2, 3, 1, 0] }
    : { view: [to, channels], order: [1, 0] };
  return {
    tensors: [{ ...weight, ...order }, vector(`${at}.bias`, to)],
    channels: to,
    forward: (x, { tensor }) => product(x, tensor(weight.name), tensor(`${at}.bias`)),
  };
};

/** x [..., in] times a matrix, or what can be one, [in…, out], plus a bias [out]. */
export function product(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const to = weight.shape.at(-1)!;
  const inputs = weight.size / to;
  const rows = tf.reshape(x, [x.size / inputs, inputs]) as tf.Tensor2D;
  const result = tf.add(tf.matMul(rows, tf.reshape(weight, [inputs, to]) as tf.Tensor2D), bias);
  return tf.reshape(result, [...x.shape.slice(0, -1), to]);
}

export const flatten: Build<'flatten'> = ({ side }, { channels }) => ({
  tensors: [],
  channels: channels * side ** 2,
  forward: (x) => tf.reshape(x, [x.shape[0], -1]),
});
