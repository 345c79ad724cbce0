/**
 * Expressions over images whose channels fill whole blocks of 16, so that a CPU engine keeps them in the runtime's
 * blocked layout: convolutions with every stride and padding, and the maps per channel that it composes.
 */
import * as tf from '@tensorflow/tfjs-core';
import { relu, relu6 } from '../../src-main/backbones/activations.ts';
import { batchNormTraining } from '../../src-main/backbones/batch-norm.ts';
import { nearMean } from '../../src-main/backbones/layers/convolution.ts';
import { groupedConv2d } from '../../src-main/engine/ops/grouped-convolution.ts';
import { type Expression, float, type random } from './parity.ts';

type Draw = ReturnType<typeof random>;

/** A convolution that puts its result into blocks, ahead of what is under test. */
const intoBlocks = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same');

const image = (draw: Draw, channels: number) =>
  float(draw.integer(1, 3), 2 * draw.integer(2, 4), 2 * draw.integer(2, 4), channels);

function convolution(draw: Draw, inputs: number, depthwise: boolean): Expression {
  const side = [1, 3, 3, 5][draw.integer(0, 3)];
  const stride = draw.integer(1, 2);
  const pad = draw.next() < 0.5 ? ('same' as const) : (side - 1) / 2;
  const round = typeof pad === 'string' ? undefined : ('floor' as const);
  return {
    inputs: { x: image(draw, inputs), w: float(side, side, inputs, depthwise ? 1 : 32) },
    f: ({ x, w }) =>
      depthwise
        ? tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, 'NHWC', 1, round)
        : tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, 'NHWC', 1, round),
  };
}

/** An expression over an image that lies in blocks, a vector and a second such image, as many of them as it takes. */
const overBlocks =
  (f: (image: tf.Tensor4D, vector: tf.Tensor, other: tf.Tensor4D) => tf.Tensor) => (): Expression => ({
    inputs: {
      x: float(2, 4, 4, 16),
      w: float(1, 1, 16, 16),
      ...(f.length > 1 ? { v: float(16) } : {}),
      ...(f.length > 2 ? { u: float(1, 1, 16, 16) } : {}),
    },
    f: ({ x, w, v, u }) => f(intoBlocks(x, w), v, u && intoBlocks(x, u)),
  });

export const blockedCases: Record<string, (draw: Draw) => Expression> = {
  'conv2d in blocks': (draw) => convolution(draw, [16, 32][draw.integer(0, 1)], false),
  'conv2d of three channels into blocks': (draw) => convolution(draw, 3, false),
  'conv2d from a width that fills no block': (draw) => convolution(draw, 24, false),
  'conv2d by a filter that lies as an image': () => ({
    inputs: { x: float(2, 6, 6, 16), v: float(3, 3, 16, 16), w: float(1, 1, 16, 16) },
    f: ({ x, v, w }) => tf.conv2d(x as tf.Tensor4D, intoBlocks(v, w) as tf.Tensor4D, 1, 'same'),
  }),
  'depthwiseConv2d in blocks': (draw) => convolution(draw, 32, true),
  'depthwiseConv2d of odd sides in blocks': (draw) => {
    const [height, width] = [2 * draw.integer(1, 3) + 1, 2 * draw.integer(1, 3) + 1];
    const pad = draw.pick([1, 'same', 'valid'] as const);
    const stride = draw.integer(1, 3);
    return {
      inputs: { x: float(2, height, width, 16), w: float(3, 3, 16, 1), v: float(1, 1, 16, 16) },
      f: ({ x, w, v }) =>
        tf.depthwiseConv2d(
          intoBlocks(x, v) as tf.Tensor4D,
          w as tf.Tensor4D,
          stride,
          pad,
          'NHWC',
          1,
          pad === 1 ? 'floor' : undefined,
        ),
    };
  },
  'depthwiseConv2d by windows side by side in blocks': (draw) => {
    const side = draw.integer(2, 3);
    return {
      inputs: { x: float(2, 6, 12, 16), w: float(side, side, 16, 1), v: float(1, 1, 16, 16) },
      f: ({ x, w, v }) =>
        tf.depthwiseConv2d(intoBlocks(x, v) as tf.Tensor4D, w as tf.Tensor4D, side, 'valid'),
    };
  },
  'groupedConv2d in blocks': (draw) => {
    const per = draw.pick([4, 8, 16]);
    const stride = draw.integer(1, 2);
    return {
      inputs: { x: image(draw, 32), w: float(3, 3, per, 32), v: float(1, 1, 32, 32) },
      f: ({ x, w, v }) =>
        groupedConv2d(intoBlocks(x, v) as tf.Tensor4D, w as tf.Tensor4D, {
          groups: 32 / per,
          stride,
          pad: 1,
        }),
    };
  },
  'maxPool in blocks': overBlocks((x) => tf.maxPool(x, 3, 2, 1, 'floor')),
  'maxPool of equal values in blocks': (draw) => ({
    inputs: {
      x: { ...float(2, 8, 6, 16), values: Array.from({ length: 1536 }, () => draw.integer(0, 2)) },
      w: { ...float(1, 1, 16, 16), values: Array.from({ length: 256 }, (_, at) => Number(at % 17 === 0)) },
    },
    f: ({ x, w }) => tf.maxPool(intoBlocks(x, w) as tf.Tensor4D, 3, 2, 1, 'floor'),
  }),
  'maxPool of activated in blocks': (draw) => {
    const side = draw.integer(2, 4);
    const stride = draw.integer(1, 3);
    const pad = draw.pick([1, 'same', 'valid'] as const);
    // tf.js takes windows for square where padding is a number.
    const kernel: [number, number] = [side, pad === 1 ? side : draw.integer(1, 4)];
    return {
      inputs: {
        x: {
          ...float(2, 6, 12, 16),
          values: Array.from({ length: 2304 }, () => draw.integer(-1, 2)),
        },
        w: { ...float(1, 1, 16, 16), values: Array.from({ length: 256 }, (_, at) => Number(at % 17 === 0)) },
      },
      f: ({ x, w }) =>
        tf.maxPool(
          relu(intoBlocks(x, w) as tf.Tensor4D) as tf.Tensor4D,
          kernel,
          stride,
          pad,
          pad === 1 ? 'floor' : undefined,
        ),
    };
  },
  'maxPool of an odd side in blocks': (draw) => ({
    inputs: {
      x: { ...float(2, 7, 9, 16), values: Array.from({ length: 2016 }, () => draw.integer(-1, 2)) },
      w: { ...float(1, 1, 16, 16), values: Array.from({ length: 256 }, (_, at) => Number(at % 17 === 0)) },
    },
    f: ({ x, w }) => tf.maxPool(relu(intoBlocks(x, w) as tf.Tensor4D), 3, 2, 1, 'floor'),
  }),
  'avgPool side by side in blocks': overBlocks((x) => tf.avgPool(x, 2, 2, 'valid')),
  'concatenation in blocks, used part by part': overBlocks((x, v, other) => {
    const whole = tf.concat([x, tf.mul(other, v), x], 3);
    const [a, b] = tf.split(whole, [16, 32], 3);
    return tf.add(tf.sum(tf.mul(whole, whole), 3, true), tf.mul(a, tf.sum(b, 3, true)));
  }),
  'maxPool of activated images side by side in blocks': overBlocks((x, v, other) =>
    tf.maxPool(tf.concat([relu(x), relu(tf.mul(other, v) as tf.Tensor4D)], 3), 3, 2, 1, 'floor'),
  ),
  'an image times what its pixels are in the mean': overBlocks((x) => {
    const gate = tf.reshape(tf.sigmoid(tf.mean(x, [1, 2])), [2, 1, 1, 16]);
    return tf.add(tf.mul(x, gate), gate);
  }),
  'a map times a number per image, plus image': overBlocks((x, v, other) => {
    const numbers = tf.reshape(tf.mean(other, [1, 2, 3]), [2, 1, 1, 1]);
    return relu(tf.add(tf.mul(tf.add(tf.mul(x, v), v), numbers), other) as tf.Tensor4D);
  }),
  'means over the pixels of what is used otherwise': overBlocks((x, v) => {
    const y = relu(tf.mul(x, v) as tf.Tensor4D);
    return tf.add(tf.mul(tf.mean(y, [1, 2], true), 3), tf.mul(y, y));
  }),
  'sums over the pixels of a map': overBlocks((x, v) => tf.square(tf.sum(tf.mul(tf.square(x), v), [1, 2]))),
  'mean over the pixels': overBlocks((x) => tf.mean(x, [1, 2])),
  'sum over images and pixels': overBlocks((x) => tf.sum(x, [0, 1, 2])),
  'sum over channels': overBlocks((x) => tf.sum(x, [3])),
  'convolution plus vector': overBlocks((x, v) => tf.add(v, x)),
  'convolution less vector, and itself': overBlocks((x, v) => tf.mul(tf.sub(x, v), x)),
  'map per channel': overBlocks((x, v) => tf.sub(tf.mul(tf.add(tf.neg(x), v), v), 0.5)),
  'vector less image': overBlocks((x, v) => tf.sub(v, x)),
  'map plus image': overBlocks((x, v, other) => tf.add(tf.mul(x, v), other)),
  'map plus map': overBlocks((x, v, other) => tf.add(tf.mul(x, v), tf.sub(other, v))),
  'map of a map plus image': overBlocks((x, v, other) => tf.mul(tf.add(tf.mul(x, v), other), v)),
  'image less map': overBlocks((x, v, other) => tf.sub(other, tf.mul(x, v))),
  'relu of a map plus image': overBlocks((x, v, other) => relu(tf.add(tf.mul(x, v), other))),
  'relu6 of a map': overBlocks((x, v) => relu6(tf.add(tf.mul(x, 4), v))),
  'a map used twice': overBlocks((x, v) => {
    const map = tf.add(x, v);
    return tf.mul(map, relu(map as tf.Tensor4D));
  }),
  'batch norm and relu': (draw) => ({
    inputs: { x: image(draw, 16), w: float(1, 1, 16, 16), g: float(16), b: float(16) },
    f: ({ x, w, g, b }) => {
      const near = nearMean(tf.conv2d, x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same');
      return relu(batchNormTraining(intoBlocks(x, w), g as tf.Tensor1D, b as tf.Tensor1D, 1e-3, near).y);
    },
  }),
  'batch norm between convolutions': (draw) => {
    const stride = draw.integer(1, 2);
    return {
      inputs: {
        x: float(2, 12, 10, 16),
        w: float(3, 3, 16, 16),
        g: float(16),
        b: float(16),
        d: float(3, 3, 16, 1),
        v: float(1, 1, 16, draw.pick([16, 24])),
      },
      f: ({ x, w, g, b, d, v }) => {
        const norm = (image: tf.Tensor4D, near: tf.Tensor1D) =>
          relu6(batchNormTraining(image, g as tf.Tensor1D, b as tf.Tensor1D, 1e-3, near).y);
        const wide = norm(
          tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, 'same'),
          nearMean(tf.conv2d, x as tf.Tensor4D, w as tf.Tensor4D, stride, 'same'),
        );
        const deep = norm(
          tf.depthwiseConv2d(wide, d as tf.Tensor4D, 1, 'same'),
          nearMean(tf.depthwiseConv2d, wide, d as tf.Tensor4D, 1, 'same'),
        );
        return tf.conv2d(deep, v as tf.Tensor4D, 1, 'same');
      },
      // Twice through a batch norm: float32 sums in another order.
      tolerance: 1e-4,
    };
  },
};
