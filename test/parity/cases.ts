/** Random expressions for every kernel family, shared by the parity tests of all engines. */
import * as tf from '@tensorflow/tfjs-core';
import { hardSigmoid, hardSwish, sigmoid, silu } from '../../src-main/backbones/activations.ts';
import { after } from '../../src-main/engine/ops/after.ts';
import { attention } from '../../src-main/engine/ops/attention.ts';
import { gelu } from '../../src-main/engine/ops/gelu.ts';
import { groupedConv2d } from '../../src-main/engine/ops/grouped-convolution.ts';
import { labelCrossEntropy } from '../../src-main/engine/ops/label-cross-entropy.ts';
import { layerNorm } from '../../src-main/engine/ops/layer-norm.ts';
import { sumOfSquares } from '../../src-main/engine/ops/sum-of-squares.ts';
import { blockedCases } from './blocked-cases.ts';
import { type Expression, float, type random } from './parity.ts';

type Draw = ReturnType<typeof random>;
export type Cases = Record<string, (draw: Draw) => Expression>;

const shapeOf = (draw: Draw, rank: number, most = 4): number[] =>
  Array.from({ length: rank }, () => draw.integer(1, most));

const unary =
  (f: (x: tf.Tensor) => tf.Tensor, options: { positive?: boolean; gradient?: boolean } = {}) =>
  (draw: Draw): Expression => ({
    inputs: { x: { ...float(...shapeOf(draw, draw.integer(0, 4))), positive: options.positive } },
    f: ({ x }) => f(x),
    gradient: options.gradient,
  });

/** Two shapes that broadcast: some extents of either are 1, and the second may lack leading axes. */
function broadcastShapes(draw: Draw): [number[], number[]] {
  const full = shapeOf(draw, draw.integer(0, 4));
  const thin = (shape: number[]) => shape.map((extent) => (draw.next() < 0.3 ? 1 : extent));
  const shorter = thin(full).slice(draw.integer(0, full.length));
  return draw.next() < 0.5 ? [thin(full), shorter] : [shorter, thin(full)];
}

interface BinaryOptions {
  positive?: boolean;
  gradient?: boolean;
  /** tf.js's own gradient of some kernels does not undo broadcasting; those are taken on equal shapes. */
  equalShapes?: boolean;
}

const binary =
  (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, options: BinaryOptions = {}) =>
  (draw: Draw): Expression => {
    const { positive, gradient, equalShapes } = options;
    const [a, other] = broadcastShapes(draw);
    const b = equalShapes ? a : other;
    return {
      inputs: { a: { ...float(...a), positive }, b: { ...float(...b), positive: true } },
      f: (inputs) => f(inputs.a, inputs.b),
      gradient,
    };
  };

const elementwiseCases: Cases = {
  abs: unary(tf.abs),
  ceil: unary(tf.ceil),
  clipByValue: unary((x) => tf.clipByValue(x, -0.5, 0.7)),
  elu: unary(tf.elu),
  erf: unary(tf.erf),
  exp: unary(tf.exp),
  expm1: unary(tf.expm1),
  floor: unary(tf.floor),
  // tf.js's erf is exact to 1.5e-7.
  gelu: unary(gelu),
  silu: unary(silu),
  sigmoidFromResult: unary(sigmoid),
  hardSigmoid: unary((x) => hardSigmoid(tf.mul(x, 3))),
  hardSwish: unary((x) => hardSwish(tf.mul(x, 3))),
  leakyRelu: unary((x) => tf.leakyRelu(x, 0.1)),
  log: unary(tf.log, { positive: true }),
  log1p: unary(tf.log1p, { positive: true }),
  neg: unary(tf.neg),
  reciprocal: unary(tf.reciprocal, { positive: true }),
  relu: unary(tf.relu),
  relu6: unary((x) => tf.relu6(tf.mul(x, 6))),
  round: unary(tf.round),
  rsqrt: unary(tf.rsqrt, { positive: true }),
  sigmoid: unary(tf.sigmoid),
  sign: unary(tf.sign),
  softplus: unary(tf.softplus),
  sqrt: unary(tf.sqrt, { positive: true }),
  square: unary(tf.square),
  sumOfSquares: unary((x) => sumOfSquares(x), { gradient: false }),
  after: unary((x) => after(tf.sum(x), x), { gradient: false }),
  step: unary((x) => tf.step(x, 0.25), { gradient: false }),
  tanh: unary(tf.tanh),
  zerosLike: unary((x) => tf.zerosLike(x)),
  onesLike: unary((x) => tf.onesLike(x)),
  cast: unary((x) => tf.cast(tf.cast(tf.mul(x, 3), 'int32'), 'float32'), { gradient: false }),
  add: binary(tf.add),
  sub: binary(tf.sub),
  mul: binary(tf.mul),
  div: binary(tf.div),
  maximum: binary(tf.maximum, { equalShapes: true }),
  maximumBroadcast: binary(tf.maximum, { gradient: false }),
  minimum: binary(tf.minimum, { equalShapes: true }),
  minimumBroadcast: binary(tf.minimum, { gradient: false }),
  pow: binary(tf.pow, { positive: true }),
  squaredDifference: binary(tf.squaredDifference, { equalShapes: true }),
  squaredDifferenceBroadcast: binary(tf.squaredDifference, { gradient: false }),
  floorDiv: binary(tf.floorDiv, { gradient: false }),
  equal: binary((a, b) => tf.equal(tf.round(a), tf.round(b)), { gradient: false }),
  notEqual: binary((a, b) => tf.notEqual(tf.round(a), tf.round(b)), { gradient: false }),
  greater: binary(tf.greater, { gradient: false }),
  greaterEqual: binary(tf.greaterEqual, { gradient: false }),
  less: binary(tf.less, { gradient: false }),
  lessEqual: binary(tf.lessEqual, { gradient: false }),
  logical: binary(
    (a, b) => tf.logicalAnd(tf.logicalNot(tf.greater(a, 0)), tf.logicalOr(tf.less(b, 1), tf.greater(a, -1))),
    { gradient: false },
  ),
  where: (draw) => {
    const shape = shapeOf(draw, draw.integer(0, 4));
    const values = Array.from({ length: shape.reduce((m, n) => m * n, 1) }, () => draw.integer(0, 1));
    return {
      inputs: { a: float(...shape), b: float(...shape), choice: { shape, dtype: 'int32', values } },
      f: ({ a, b, choice }) => tf.where(tf.cast(choice, 'bool'), a, b),
    };
  },
  addN: binary((a, b) => tf.addN([tf.add(a, b), tf.mul(a, b), tf.sub(a, b)])),
};

const reduction =
  (
    f: (x: tf.Tensor, axes: number[] | undefined, keepDims: boolean) => tf.Tensor,
    options: { gradient?: boolean } = {},
  ) =>
  (draw: Draw): Expression => {
    const shape = shapeOf(draw, draw.integer(1, 4), 5);
    const axes = shape.map((_, axis) => axis).filter(() => draw.next() < 0.5);
    const keepDims = draw.next() < 0.5;
    return {
      inputs: { x: float(...shape) },
      f: ({ x }) => f(x, axes.length > 0 ? axes : undefined, keepDims),
      gradient: options.gradient,
    };
  };

const alongOneAxis =
  (f: (x: tf.Tensor, axis: number) => tf.Tensor, options: { gradient?: boolean } = {}) =>
  (draw: Draw): Expression => {
    const shape = shapeOf(draw, draw.integer(1, 3), 6);
    const axis = draw.integer(0, shape.length - 1);
    return { inputs: { x: float(...shape) }, f: ({ x }) => f(x, axis), gradient: options.gradient };
  };

const reductionCases: Cases = {
  sum: reduction(tf.sum),
  mean: reduction(tf.mean),
  max: reduction(tf.max),
  min: reduction(tf.min),
  prod: reduction(tf.prod, { gradient: false }),
  all: reduction((x, axes, keep) => tf.all(tf.greater(x, -1), axes, keep), { gradient: false }),
  any: reduction((x, axes, keep) => tf.any(tf.greater(x, 1), axes, keep), { gradient: false }),
  argMax: alongOneAxis((x, axis) => tf.argMax(x, axis), { gradient: false }),
  argMin: alongOneAxis((x, axis) => tf.argMin(x, axis), { gradient: false }),
  // tf.js's own gradient of cumsum holds along the innermost axis only.
  cumsum: alongOneAxis((x) => tf.cumsum(x, x.rank - 1)),
  cumsumReversed: alongOneAxis((x, axis) => tf.cumsum(x, axis, true, true), { gradient: false }),
  softmax: (draw) => ({
    inputs: { x: float(...shapeOf(draw, draw.integer(1, 3), 7)) },
    f: ({ x }) => tf.softmax(x),
  }),
  logSoftmax: (draw) => ({
    inputs: { x: float(...shapeOf(draw, draw.integer(1, 3), 7)) },
    f: ({ x }) => tf.logSoftmax(x),
  }),
  logSumExp: reduction((x, axes, keep) => tf.logSumExp(x, axes, keep)),
  softmaxCrossEntropy: (draw) => {
    const [rows, classes] = [draw.integer(1, 6), draw.integer(2, 9)];
    const values = Array.from({ length: rows }, () => draw.integer(0, classes - 1));
    return {
      inputs: { x: float(rows, classes), labels: { shape: [rows], dtype: 'int32', values } },
      f: ({ x, labels }) => tf.losses.softmaxCrossEntropy(tf.oneHot(labels, classes), x),
    };
  },
};

const shuffled = (draw: Draw, length: number): number[] =>
  Array.from({ length }, (_, index) => ({ index, key: draw.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ index }) => index);

const shapeCases: Cases = {
  reshape: (draw) => {
    const shape = shapeOf(draw, 3);
    return { inputs: { x: float(...shape) }, f: ({ x }) => tf.reshape(x, [shape[2] * shape[0], -1]) };
  },
  expandDims: (draw) => {
    const axis = draw.integer(0, 2);
    return { inputs: { x: float(...shapeOf(draw, 2)) }, f: ({ x }) => tf.expandDims(x, axis) };
  },
  transpose: (draw) => {
    const shape = shapeOf(draw, draw.integer(2, 5));
    const order = shuffled(draw, shape.length);
    return { inputs: { x: float(...shape) }, f: ({ x }) => tf.transpose(x, order) };
  },
  pad: (draw) => {
    const shape = shapeOf(draw, draw.integer(1, 4));
    const paddings = shape.map(() => [draw.integer(0, 2), draw.integer(0, 2)] as [number, number]);
    return { inputs: { x: float(...shape) }, f: ({ x }) => tf.pad(x, paddings, 0.5) };
  },
  slice: (draw) => {
    const shape = shapeOf(draw, draw.integer(1, 4), 6);
    const begin = shape.map((extent) => draw.integer(0, extent - 1));
    const size = shape.map((extent, axis) => draw.integer(1, extent - begin[axis]));
    return { inputs: { x: float(...shape) }, f: ({ x }) => tf.slice(x, begin, size) };
  },
  reverse: (draw) => {
    const shape = shapeOf(draw, draw.integer(1, 4));
    const axes = shape.map((_, axis) => axis).filter(() => draw.next() < 0.5);
    return { inputs: { x: float(...shape) }, f: ({ x }) => tf.reverse(x, axes) };
  },
  concat: (draw) => {
    const shape = shapeOf(draw, draw.integer(1, 4));
    const axis = draw.integer(0, shape.length - 1);
    return {
      inputs: { a: float(...shape), b: float(...shape.with(axis, draw.integer(1, 3))) },
      f: ({ a, b }) => tf.concat([a, b, a], axis),
    };
  },
  stack: (draw) => {
    const shape = shapeOf(draw, draw.integer(0, 3));
    const axis = draw.integer(0, shape.length);
    return {
      inputs: { a: float(...shape), b: float(...shape) },
      f: ({ a, b }) => tf.stack([a, b], axis),
    };
  },
  unstack: (draw) => {
    const shape = shapeOf(draw, draw.integer(1, 3)).with(0, 3);
    return {
      inputs: { x: float(...shape) },
      f: ({ x }) => {
        const [a, b, c] = tf.unstack(x, 0);
        return tf.add(tf.mul(a, 2), tf.sub(b, c));
      },
    };
  },
  split: (draw) => {
    const shape = shapeOf(draw, draw.integer(1, 3)).with(0, 6);
    return {
      inputs: { x: float(...shape) },
      f: ({ x }) => {
        const [a, b] = tf.split(x, [2, 4], 0);
        return tf.concat([b, a], 0);
      },
    };
  },
  tile: (draw) => {
    const shape = shapeOf(draw, draw.integer(1, 3), 3);
    const repeats = shape.map(() => draw.integer(1, 3));
    return { inputs: { x: float(...shape) }, f: ({ x }) => tf.tile(x, repeats) };
  },
  broadcastTo: (draw) => {
    const wide = shapeOf(draw, 3);
    const thin = wide.map((extent) => (draw.next() < 0.5 ? 1 : extent));
    return { inputs: { x: float(...thin) }, f: ({ x }) => tf.broadcastTo(x, wide) };
  },
  gather: (draw) => {
    const shape = shapeOf(draw, draw.integer(1, 3)).map((extent) => extent + 2);
    const axis = draw.integer(0, shape.length - 1);
    const values = Array.from({ length: 5 }, () => draw.integer(0, shape[axis] - 1));
    return {
      inputs: { x: float(...shape), indices: { shape: [5], dtype: 'int32', values } },
      f: ({ x, indices }) => tf.gather(x, indices, axis),
    };
  },
  oneHot: (draw) => {
    const depth = draw.integer(2, 6);
    return {
      inputs: { indices: { shape: shapeOf(draw, draw.integer(1, 2)), dtype: 'int32' } },
      f: ({ indices }) => tf.oneHot(indices, depth, 0.9, 0.1, 'float32'),
      gradient: false,
    };
  },
  fill: (draw) => {
    const shape = shapeOf(draw, 3);
    return { inputs: { x: float(...shape) }, f: ({ x }) => tf.add(x, tf.fill(shape, 0.25)) };
  },
};

const matmulCases: Cases = {
  // Long and wide enough for a gradient whose narrower matrix is turned first.
  matMulOfManyRows: (draw) => {
    const [inner, columns] = draw.pick([
      [3, 130],
      [130, 3],
    ]);
    return {
      inputs: { a: float(140, inner), b: float(inner, columns) },
      f: ({ a, b }) => tf.matMul(a, b),
    };
  },
  matMul: (draw) => {
    const [m, k, n] = [draw.integer(1, 9), draw.integer(1, 9), draw.integer(1, 9)];
    const [transposeA, transposeB] = [draw.next() < 0.5, draw.next() < 0.5];
    return {
      inputs: { a: float(...(transposeA ? [k, m] : [m, k])), b: float(...(transposeB ? [n, k] : [k, n])) },
      f: ({ a, b }) => tf.matMul(a, b, transposeA, transposeB),
    };
  },
  batchMatMul: (draw) => {
    const [m, k, n] = [draw.integer(1, 5), draw.integer(1, 5), draw.integer(1, 5)];
    const [transposeA, transposeB] = [draw.next() < 0.5, draw.next() < 0.5];
    const batch = draw.integer(1, 3);
    return {
      inputs: {
        a: float(2, batch, ...(transposeA ? [k, m] : [m, k])),
        b: float(2, batch, ...(transposeB ? [n, k] : [k, n])),
      },
      f: ({ a, b }) => tf.matMul(a, b, transposeA, transposeB),
    };
  },
};

type Padding = 'valid' | 'same' | number | [[0, 0], [number, number], [number, number], [0, 0]];

/** Spatial settings that leave at least one window. */
function windows(draw: Draw, kernel: [number, number]) {
  const stride: [number, number] = draw.pick([
    [1, 1],
    [2, 2],
    [draw.integer(1, 3), draw.integer(1, 3)],
  ]);
  const least = Math.max(...kernel) + 1;
  const side: [number, number] = [draw.integer(least, least + 6), draw.integer(least, least + 6)];
  const smaller = Math.min(...kernel);
  const edge = () => draw.integer(0, Math.max(0, smaller - 1));
  const padding = draw.pick<Padding>([
    'valid',
    'same',
    // tf.js sizes numeric padding by the kernel's height and vertical stride alone.
    kernel[0] === kernel[1] ? Math.floor((smaller - 1) / 2) : 'valid',
    [
      [0, 0],
      [edge(), edge()],
      [edge(), edge()],
      [0, 0],
    ],
  ]);
  if (typeof padding === 'number') stride[1] = stride[0];
  return { stride, side, padding };
}

const convolutionCases: Cases = {
  conv2d: (draw) => {
    const kernel: [number, number] = [draw.integer(1, 5), draw.integer(1, 5)];
    const { stride, side, padding } = windows(draw, kernel);
    const [channelsIn, channelsOut] = [draw.pick([1, 3, 4, 16, 20]), draw.pick([1, 2, 16, 24])];
    return {
      inputs: { x: float(2, ...side, channelsIn), w: float(...kernel, channelsIn, channelsOut) },
      f: ({ x, w }) =>
        tf.conv2d(x, w, stride, padding, 'NHWC', 1, typeof padding === 'string' ? undefined : 'floor'),
    };
  },
  conv2dPointwise: (draw) => {
    const [channelsIn, channelsOut] = [draw.pick([1, 3, 16, 20]), draw.pick([1, 2, 16, 24])];
    const stride = draw.integer(1, 3);
    return {
      inputs: {
        x: float(2, draw.integer(3, 7), draw.integer(3, 7), channelsIn),
        w: float(1, 1, channelsIn, channelsOut),
      },
      f: ({ x, w }) => tf.conv2d(x, w, stride, 'same'),
    };
  },
  groupedConv2d: (draw) => {
    const [groups, perIn, perOut] = [draw.integer(2, 4), draw.integer(1, 4), draw.integer(1, 4)];
    const side = draw.pick([1, 3]);
    const stride = draw.integer(1, 2);
    const pad = draw.pick(['same', 'valid'] as const);
    return {
      inputs: {
        x: float(2, draw.integer(4, 7), draw.integer(4, 7), groups * perIn),
        w: float(side, side, perIn, groups * perOut),
      },
      f: ({ x, w }) => groupedConv2d(x, w, { groups, stride, pad }),
    };
  },
  conv2dDilated: (draw) => ({
    inputs: { x: float(1, 9, 8, 3), w: float(3, 2, 3, 4) },
    f: ({ x, w }) => tf.conv2d(x, w, 1, draw.next() < 2 ? 'same' : 'valid', 'NHWC', 2),
    gradient: false,
  }),
  depthwiseConv2d: (draw) => {
    const kernel: [number, number] = [draw.integer(1, 4), draw.integer(1, 4)];
    const { stride, side, padding } = windows(draw, kernel);
    const channels = draw.pick([1, 3, 16, 20]);
    const square: [number, number] = [stride[0], stride[0]];
    return {
      inputs: { x: float(2, ...side, channels), w: float(...kernel, channels, draw.pick([1, 1, 2])) },
      f: ({ x, w }) =>
        tf.depthwiseConv2d(
          x,
          w,
          square,
          padding,
          'NHWC',
          1,
          typeof padding === 'string' ? undefined : 'floor',
        ),
    };
  },
};

const pool =
  (type: 'max' | 'avg') =>
  (draw: Draw): Expression => {
    const kernel: [number, number] = [draw.integer(1, 4), draw.integer(1, 4)];
    const { stride, side, padding } = windows(draw, kernel);
    const pad = typeof padding === 'object' ? 'same' : padding;
    // tf.js's reference gradient of average pooling divides by the whole window where its forward pass leaves padding out.
    const gradient = type === 'max' || pad === 'valid' || pad === 0;
    const rounding = typeof pad === 'number' ? 'floor' : undefined;
    return {
      inputs: { x: float(2, ...side, draw.pick([1, 3, 16])) },
      gradient,
      f: ({ x }) =>
        type === 'max'
          ? tf.maxPool(x, kernel, stride, pad, rounding)
          : tf.avgPool(x, kernel, stride, pad, rounding),
    };
  };

const poolingCases: Cases = {
  maxPool: pool('max'),
  avgPool: pool('avg'),
  maxPoolTies: (draw) => {
    const side = draw.integer(4, 7);
    return {
      inputs: { x: float(1, side, side, 2) },
      f: ({ x }) => tf.maxPool(tf.relu(tf.sub(x, 1)) as tf.Tensor4D, 3, 2, 'same'),
    };
  },
};

const normalizationCases: Cases = {
  attention: (draw) => {
    const heads = draw.integer(1, 3);
    const channels = heads * draw.integer(1, 5);
    return {
      inputs: { x: float(draw.integer(1, 3), draw.integer(1, 6), 3 * channels) },
      f: ({ x }) => attention(x, heads),
    };
  },
  labelCrossEntropy: (draw) => {
    const [rows, classes] = [draw.integer(1, 5), draw.integer(2, 7)];
    const labels = Array.from({ length: rows }, () => draw.integer(0, classes - 1));
    return {
      inputs: { x: float(rows, classes), y: { shape: [rows], dtype: 'int32', values: labels } },
      f: ({ x, y }) =>
        labelCrossEntropy(
          tf.mul(x, 40),
          y,
          tf.tensor(
            labels.map((_, row) => row / 2),
            [rows, 1],
          ),
        ),
    };
  },
  /** A text whose end is padding, and dropped weights. */
  limitedAttention: (draw) => {
    const [batch, heads, count] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(2, 6)];
    const unseen = Array.from({ length: batch * count }, (_, at) => (at % count === count - 1 ? -1e9 : 0));
    const kept = Array.from({ length: batch * heads * count ** 2 }, (_, at) => (at % 3 === 0 ? 0 : 1.5));
    return {
      inputs: { x: float(batch, count, 3 * heads * draw.integer(1, 5)) },
      f: ({ x }) =>
        attention(x, heads, {
          bias: tf.tensor(unseen, [batch, count]),
          kept: tf.tensor(kept, [batch, heads, count, count]),
        }),
    };
  },
  layerNorm: (draw) => {
    const channels = draw.integer(3, 9);
    return {
      inputs: {
        x: float(...shapeOf(draw, draw.integer(1, 3)), channels),
        scale: float(channels),
        offset: float(channels),
      },
      f: ({ x, scale, offset }) => layerNorm(x, scale, offset, 1e-2),
    };
  },
  batchNorm: (draw) => {
    const channels = draw.integer(1, 5);
    return {
      inputs: {
        x: float(2, 3, 3, channels),
        mean: float(channels),
        variance: { ...float(channels), positive: true },
        offset: float(channels),
        scale: float(channels),
      },
      f: ({ x, mean, variance, offset, scale }) => tf.batchNorm(x, mean, variance, offset, scale, 1e-3),
    };
  },
};

export const allCases: Record<string, Cases> = {
  elementwise: elementwiseCases,
  reduction: reductionCases,
  shape: shapeCases,
  matmul: matmulCases,
  convolution: convolutionCases,
  pooling: poolingCases,
  normalization: normalizationCases,
  'images in blocks': blockedCases,
};
