import { slice_util, util } from '@tensorflow/tfjs-core';
import { CotuneError } from '../../../src-shared/errors.ts';
import { type Node, sizeOf, type Value } from '../trace/ir.ts';
import { isInBlocks } from './filters.ts';
import type { Lowering, Rule } from './lowering.ts';
import { type Name, onnxTypes } from './onnx-graph.ts';

/** A kernel that only moves elements of one input in tf.js's order. */
const moving =
  (emit: (x: Name, lowering: Lowering, node: Node, value: Value) => Name): Rule =>
  (node, lowering) => {
    const value = Object.values(node.inputs)[0];
    lowering.define(node.outputs[0], emit(lowering.use(value), lowering, node, value));
  };

const reshape = moving((x, lowering, node) => lowering.reshape(x, node.outputs[0].shape));

const filled =
  (fill: (node: Node) => number): Rule =>
  (node, lowering) => {
    const { shape, dtype } = node.outputs[0];
    lowering.define(node.outputs[0], lowering.graph.filled(shape, fill(node), dtype));
  };

const concatenate =
  (prepare: (x: Name, node: Node, lowering: Lowering) => Name): Rule =>
  (node, lowering) => {
    const [axis] = util.parseAxisParam(node.attrs.axis as number, [...node.outputs[0].shape]);
    const parts = Object.values(node.inputs).map((value) => prepare(lowering.use(value), node, lowering));
    lowering.define(node.outputs[0], lowering.op('Concat', parts, { axis }));
  };

/** Cuts a tensor along one axis into the node's outputs. */
const cut: Rule = (node, lowering) => {
  const value = Object.values(node.inputs)[0];
  const [axis] = util.parseAxisParam(node.attrs.axis as number, [...value.shape]);
  let begin = 0;
  for (const output of node.outputs) {
    const extent = node.kernel === 'Unpack' ? 1 : output.shape[axis];
    const part = lowering.slice(lowering.use(value), [axis], [begin], [begin + extent]);
    lowering.define(output, node.kernel === 'Unpack' ? lowering.reshape(part, output.shape) : part);
    begin += extent;
  }
};

/** Slices that hold whole images leave them in the layout that they lie in. */
const slice: Rule = (node, lowering) => {
  const [x] = Object.values(node.inputs);
  const { begin, size } = node.attrs as { begin: number | number[]; size: number | number[] };
  const [from, extents] = slice_util.parseSliceParams({ shape: x.shape } as never, begin, size);
  const axes = x.shape.flatMap((extent, axis) => (extents[axis] < extent ? [axis] : []));
  const made = lowering.layoutOf(x);
  const layout = axes.join() === '0' && !isInBlocks(made) ? made : 'nhwc';
  const part = lowering.slice(
    lowering.use(x, layout),
    axes,
    axes.map((axis) => from[axis]),
    axes.map((axis) => from[axis] + extents[axis]),
  );
  lowering.define(node.outputs[0], part, layout);
};

const oneHot: Rule = (node, lowering) => {
  const { graph } = lowering;
  const { depth, onValue, offValue } = node.attrs as Record<string, number>;
  const { indices } = node.inputs;
  const classes = graph.constant(
    'int32',
    [depth],
    Int32Array.from({ length: depth }, (_, index) => index),
  );
  const column = lowering.reshape(lowering.use(indices), [...indices.shape, 1]);
  const hit = graph.op('Equal', [column, classes]);
  const { dtype } = node.outputs[0];
  lowering.define(
    node.outputs[0],
    graph.op('Where', [hit, graph.scalar(onValue, dtype), graph.scalar(offValue, dtype)]),
  );
};

const gather: Rule = (node, lowering) => {
  const { x, indices } = node.inputs;
  if (node.attrs.batchDims)
    throw new CotuneError(
      'failed',
      'The engine cannot compile «GatherV2» with batch dimensions.',
      'Gather along one axis without batchDims, or add it in engine/lower/shape.ts.',
    );
  const [axis] = util.parseAxisParam(node.attrs.axis as number, [...x.shape]);
  lowering.define(node.outputs[0], lowering.op('Gather', [lowering.use(x), lowering.use(indices)], { axis }));
};

/** Sums of rows by segment, the gradient of a gather: a scatter that adds; on a GPU the product with the segments' one-hot matrix. */
const segmentSum: Rule = (node, lowering) => {
  const { graph, target } = lowering;
  const { x, segmentIds } = node.inputs;
  const [output] = node.outputs;
  const count = node.attrs.numSegments as number;
  const length = sizeOf(segmentIds.shape);
  const columns = sizeOf(output.shape) / count;
  const rows = lowering.reshape(graph.op('Cast', [lowering.use(x)], { to: onnxTypes.float32 }), [
    length,
    columns,
  ]);
  const sum = target.provider === 'gpu' ? byProduct : byScatter;
  const sums = lowering.reshape(sum(rows, segmentIds, [count, length, columns], lowering), output.shape);
  lowering.define(
    output,
    output.dtype === 'float32' ? sums : graph.op('Cast', [sums], { to: onnxTypes[output.dtype] }),
  );
};

type Extents = readonly [count: number, length: number, columns: number];

function byScatter(rows: Name, ids: Value, [count, length, columns]: Extents, lowering: Lowering): Name {
  const { graph } = lowering;
  const column = lowering.reshape(graph.op('Cast', [lowering.use(ids)], { to: onnxTypes.int64 }), [
    length,
    1,
  ]);
  const places = graph.op('Expand', [column, graph.ints([length, columns])]);
  const zeros = graph.filled([count, columns], 0, 'float32');
  return graph.op('ScatterElements', [zeros, places, rows], { axis: 0, reduction: 'add' });
}

function byProduct(rows: Name, ids: Value, [count, length]: Extents, lowering: Lowering): Name {
  const { graph } = lowering;
  const segments = graph.constant(
    'int32',
    [count, 1],
    Int32Array.from({ length: count }, (_, index) => index),
  );
  const row = lowering.reshape(lowering.use(ids), [1, length]);
  const membership = graph.op('Cast', [graph.op('Equal', [segments, row])], { to: onnxTypes.float32 });
  return lowering.product(membership, rows);
}

export const shapeRules: Record<string, Rule> = {
  Reshape: reshape,
  ExpandDims: reshape,
  Transpose: moving((x, lowering, node, value) =>
    lowering.permute(x, value.shape, node.attrs.perm as number[]),
  ),
  PadV2: moving((x, lowering, node, value) =>
    lowering.pad(
      x,
      node.attrs.paddings as [number, number][],
      node.attrs.constantValue as number,
      value.dtype,
    ),
  ),
  Slice: slice,
  Reverse: moving((x, lowering, node, value) => {
    const axes = util.parseAxisParam(node.attrs.dims as number[], [...value.shape]);
    // The end of a reversed ONNX slice is exclusive: one before the first element is written as below −extent.
    return lowering.slice(
      x,
      axes,
      axes.map(() => -1),
      axes.map((axis) => -value.shape[axis] - 1),
      axes.map(() => -1),
    );
  }),
  Tile: moving((x, { graph }, node) => graph.op('Tile', [x, graph.ints(node.attrs.reps as number[])])),
  Fill: filled((node) => node.attrs.value as number),
  ZerosLike: filled(() => 0),
  OnesLike: filled(() => 1),
  Concat: concatenate((x) => x),
  Pack: concatenate((x, node, lowering) => {
    const [axis] = util.parseAxisParam(node.attrs.axis as number, [...node.outputs[0].shape]);
    return lowering.reshape(x, node.outputs[0].shape.with(axis, 1));
  }),
  SplitV: cut,
  Unpack: cut,
  OneHot: oneHot,
  GatherV2: gather,
  UnsortedSegmentSum: segmentSum,
};
