import * as tf from '@tensorflow/tfjs-core';
import { groupedConv2d } from '../../engine/ops/grouped-convolution.ts';
import { type Scope, vector } from '../backbone.ts';
import type { Build } from './layer.ts';
import { product } from './linear.ts';

type Shape4 = [number, number, number, number];

/** `tf.conv2d` or `tf.depthwiseConv2d`, as far as layers use them. */
type Convolve = (
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  stride: number,
  pad: 'same' | 'valid' | number,
) => tf.Tensor4D;

function convolveBy(groups: number, depthwise: boolean): Convolve {
  if (depthwise) return tf.depthwiseConv2d;
  if (groups === 1) return tf.conv2d;
  return (x, filter, stride, pad) => groupedConv2d(x, filter, { groups, stride, pad });
}

export const convolution: Build<'convolution'> = (layer, { prefix, channels, padding, width }) => {
  const { kernel, stride, bias } = layer;
  const at = prefix + layer.name;
  const to = layer.groups === 'each' ? channels : width(layer.out);
  const groups = layer.groups === 'each' ? channels : layer.groups;
  // With one channel coming in, one group is no depthwise convolution.
  const depthwise = layer.groups === 'each' || (groups > 1 && groups === channels);
  const weight = `${at}.weight`;
  const kind = depthwise ? ('depthwise' as const) : ('conv' as const);
  const pad = layer.pad ?? (padding === 'same' ? 'same' : (kernel - 1) / 2);
  const convolve = convolveBy(groups, depthwise);
  const biasOf = (scope: Scope) => scope.tensor(`${at}.bias`) as tf.Tensor1D;
  const inPatches = kernel === stride && kernel > 1 && pad === 0 && !depthwise && groups === 1;
  return {
    tensors: [
      {
        name: weight,
        kind,
        shape: [to, channels / groups, kernel, kernel],
        order: depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0],
      },
      ...(bias ? [vector(`${at}.bias`, to)] : []),
    ],
    channels: to,
    forward(x, scope) {
      const filter = scope.tensor(weight) as tf.Tensor4D;
      if (inPatches) return ofPatches(x as tf.Tensor4D, filter, bias ? biasOf(scope) : undefined);
      const y = convolve(x as tf.Tensor4D, filter, stride, pad);
      return bias ? tf.add(y, biasOf(scope)) : y;
    },
    near: inPatches
      ? undefined
      : (x, scope) => {
          const near = nearMean(convolve, x as tf.Tensor4D, scope.tensor(weight) as tf.Tensor4D, stride, pad);
          return bias ? tf.add(near, biasOf(scope)) : near;
        },
  };
};

/** A convolution whose windows lie side by side: one product of all patches with the kernel. */
function ofPatches(x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D | undefined): tf.Tensor {
  const [side, , channels, out] = filter.shape;
  const [batch, height, width] = x.shape;
  const [rows, columns] = [Math.floor(height / side), Math.floor(width / side)];
  const whole =
    rows * side === height && columns * side === width
      ? x
      : tf.slice(x, [0, 0, 0, 0], [batch, rows * side, columns * side, channels]);
  const split = tf.reshape(whole, [batch, rows, side, columns, side * channels]);
  const patches = tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4]), [batch, rows, columns, -1]);
  if (bias) return product(patches, filter, bias);
  const flat = tf.reshape(patches, [-1, side * side * channels]) as tf.Tensor2D;
  return tf.reshape(tf.matMul(flat, tf.reshape(filter, [-1, out]) as tf.Tensor2D), [
    batch,
    rows,
    columns,
    out,
  ]);
}

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
