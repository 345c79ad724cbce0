/** For every kernel that can be traced: the shapes and element types of its outputs. */
import { backend_util, slice_util, util } from '@tensorflow/tfjs-core';
import { type ElementType, sizeOf } from './ir.ts';

export interface Described {
  shape: number[];
  dtype: ElementType;
}

// biome-ignore lint/suspicious/noExplicitAny: attributes are tf.js's own, typed per kernel in its kernel_names.
export type Attributes = Record<string, any>;
export type ShapeRule = (inputs: Record<string, Described>, attrs: Attributes) => Described | Described[];

const first = (inputs: Record<string, Described>): Described => Object.values(inputs)[0];
const like: ShapeRule = (inputs) => ({ shape: [...first(inputs).shape], dtype: first(inputs).dtype });
const likeNamed =
  (name: string): ShapeRule =>
  (inputs) => ({ shape: [...inputs[name].shape], dtype: inputs[name].dtype });

const broadcast = ({ a, b }: Record<string, Described>): number[] =>
  backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
const binary: ShapeRule = (inputs) => ({ shape: broadcast(inputs), dtype: inputs.a.dtype });
const comparison: ShapeRule = (inputs) => ({ shape: broadcast(inputs), dtype: 'bool' });

function reduced(shape: number[], axis: number | number[], keepDims: boolean): number[] {
  const axes = util.parseAxisParam(axis, shape);
  const [out] = backend_util.computeOutAndReduceShapes(shape, axes);
  return keepDims ? backend_util.expandShapeToKeepDim(out, axes) : out;
}

const reduction =
  (dtype?: ElementType): ShapeRule =>
  ({ x }, { axis, reductionIndices, keepDims }) => ({
    shape: reduced(x.shape, axis ?? reductionIndices, keepDims ?? false),
    dtype: dtype ?? x.dtype,
  });

const list = (inputs: Record<string, Described>): Described[] => Object.values(inputs);

const concatenation: ShapeRule = (inputs, { axis }) => {
  const parts = list(inputs);
  const at = util.parseAxisParam(axis, parts[0].shape)[0];
  return {
    shape: backend_util.computeOutShape(
      parts.map((part) => part.shape),
      at,
    ),
    dtype: parts[0].dtype,
  };
};

const convolution: ShapeRule = ({ x, filter }, attrs) => {
  const { strides, pad, dilations, dimRoundingMode } = attrs;
  const info = backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
  );
  return { shape: info.outShape, dtype: 'float32' };
};

const depthwise: ShapeRule = ({ x, filter }, attrs) => {
  const { strides, pad, dilations, dimRoundingMode } = attrs;
  const info = backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  );
  return { shape: info.outShape, dtype: 'float32' };
};

const pool: ShapeRule = ({ x }, { filterSize, strides, pad, dimRoundingMode }) => {
  const shape = x.shape as [number, number, number, number];
  const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  return { shape: info.outShape, dtype: x.dtype };
};

const fromAttribute =
  (name: string): ShapeRule =>
  (inputs, attrs) => ({ shape: [...attrs[name]], dtype: first(inputs).dtype });

const gather: ShapeRule = ({ x, indices }, { axis, batchDims }) => {
  const at = util.parseAxisParam(axis, x.shape)[0];
  const rest = indices.shape.slice(batchDims);
  return { shape: [...x.shape.slice(0, at), ...rest, ...x.shape.slice(at + 1)], dtype: x.dtype };
};

const matmul: ShapeRule = ({ a, b }, { transposeA, transposeB }) => {
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const batch = backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return { shape: [...batch, rows, columns], dtype: 'float32' };
};

const reshape: ShapeRule = ({ x }, { shape }) => ({
  shape: util.inferFromImplicitShape(shape, sizeOf(x.shape)),
  dtype: x.dtype,
});

const slice: ShapeRule = ({ x }, { begin, size }) => ({
  shape: slice_util.parseSliceParams({ shape: x.shape } as never, begin, size)[1],
  dtype: x.dtype,
});

const split: ShapeRule = ({ x }, { numOrSizeSplits, axis }) => {
  const at = util.parseAxisParam(axis, x.shape)[0];
  return backend_util.prepareSplitSize({ shape: x.shape } as never, numOrSizeSplits, at).map((extent) => ({
    shape: x.shape.with(at, extent),
    dtype: x.dtype,
  }));
};

const padded: ShapeRule = ({ x }, { paddings }) => ({
  shape: x.shape.map((extent, axis) => extent + paddings[axis][0] + paddings[axis][1]),
  dtype: x.dtype,
});

const each = (names: string, rule: ShapeRule): Record<string, ShapeRule> =>
  Object.fromEntries(names.split(/\s+/).map((name) => [name, rule]));

/** Shape rules by kernel name. A kernel without one cannot be traced. */
export const shapeRules: Record<string, ShapeRule> = {
  ...each('Abs Ceil ClipByValue Elu Erf Exp Expm1 Floor LeakyRelu Log Log1p Neg Reciprocal', like),
  ...each('Relu Relu6 Round Rsqrt Sigmoid Sign Softplus Sqrt Square Step Tanh', like),
  ...each('Softmax Reverse ZerosLike OnesLike Cumsum LogicalNot', like),
  ...each('Add FloorDiv Maximum Minimum Multiply Pow RealDiv SquaredDifference Sub', binary),
  ...each('Equal Greater GreaterEqual Less LessEqual NotEqual LogicalAnd LogicalOr', comparison),
  ...each('Sum Max Min Prod', reduction()),
  ...each('Mean', reduction('float32')),
  ...each('ArgMax ArgMin', reduction('int32')),
  ...each('All Any', reduction('bool')),
  ...each('MaxPool AvgPool', pool),
  EluGrad: likeNamed('y'),
  ...each('MaxPoolGrad AvgPoolGrad', likeNamed('input')),
  ...each(
    'Conv2DBackpropInput GroupedConv2DBackpropInput DepthwiseConv2dNativeBackpropInput',
    fromAttribute('inputShape'),
  ),
  ...each(
    'Conv2DBackpropFilter GroupedConv2DBackpropFilter DepthwiseConv2dNativeBackpropFilter',
    fromAttribute('filterShape'),
  ),
  AddN: like,
  BatchMatMul: matmul,
  Cast: ({ x }, { dtype }) => ({ shape: [...x.shape], dtype }),
  Concat: concatenation,
  ...each('Conv2D GroupedConv2D', convolution),
  DepthwiseConv2dNative: depthwise,
  ExpandDims: ({ input }, { dim }) => ({
    shape: input.shape.toSpliced(dim < 0 ? input.shape.length + dim + 1 : dim, 0, 1),
    dtype: input.dtype,
  }),
  Fill: (_, { shape, dtype }) => ({ shape: [...shape], dtype: dtype ?? 'float32' }),
  FusedBatchNorm: likeNamed('x'),
  Attention: ({ x }) => ({ shape: x.shape.with(-1, x.shape.at(-1)! / 3), dtype: x.dtype }),
  AttentionGrad: likeNamed('x'),
  Gelu: like,
  GeluGrad: likeNamed('x'),
  GatherV2: gather,
  LayerNorm: ({ x }) => {
    const row = { shape: x.shape.with(-1, 1), dtype: x.dtype };
    return [{ shape: [...x.shape], dtype: x.dtype }, row, row];
  },
  LessLabels: likeNamed('x'),
  LayerNormGrad: ({ x, scale }) =>
    [x, scale, scale].map(({ shape, dtype }) => ({ shape: [...shape], dtype })),
  SumOfSquares: () => ({ shape: [], dtype: 'float32' }),
  After: likeNamed('x'),
  OneHot: ({ indices }, { depth, dtype }) => ({ shape: [...indices.shape, depth], dtype }),
  Pack: (inputs, { axis }) => {
    const { shape, dtype } = first(inputs);
    return {
      shape: shape.toSpliced(axis < 0 ? shape.length + axis + 1 : axis, 0, list(inputs).length),
      dtype,
    };
  },
  PadV2: padded,
  Reshape: reshape,
  Select: (inputs) => ({ shape: [...inputs.t.shape], dtype: inputs.t.dtype }),
  Slice: slice,
  SplitV: split,
  Tile: ({ x }, { reps }) => ({ shape: x.shape.map((extent, axis) => extent * reps[axis]), dtype: x.dtype }),
  Transpose: ({ x }, { perm }) => ({ shape: perm.map((axis: number) => x.shape[axis]), dtype: x.dtype }),
  Unpack: ({ value }, { axis }) => {
    const at = util.parseAxisParam(axis, value.shape)[0];
    const shape = value.shape.toSpliced(at, 1);
    return Array.from({ length: value.shape[at] }, () => ({ shape: [...shape], dtype: value.dtype }));
  },
  UnsortedSegmentSum: ({ x, segmentIds }, { numSegments }) => ({
    shape: [numSegments, ...x.shape.slice(segmentIds.shape.length)],
    dtype: x.dtype,
  }),
};
