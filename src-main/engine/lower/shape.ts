import { slice_util, util } from '@tensorflow/tfjs-core';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Node, Value } from '../trace/ir.ts';
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

/** Cuts a tensor along one axis into the node's outputs: each when it is needed, a vector on the CPU all at once. */
const cut: Rule = (node, lowering) => {
  const value = Object.values(node.inputs)[0];
  const [axis] = util.parseAxisParam(node.attrs.axis as number, [...value.shape]);
  if (node.kernel === 'SplitV' && value.shape.length === 1 && lowering.target.provider === 'cpu') {
    const extents = lowering.graph.ints(node.outputs.map(({ shape }) => shape[0]));
    const parts = lowering.graph.several('Split', [lowering.use(value), extents], node.outputs.length, {
      axis,
    });
    for (const [index, output] of node.outputs.entries()) lowering.define(output, parts[index]);
    return;
  }
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

/** factor · (x − one-hot labels), row by row. */
const lessLabels: Rule = (node, lowering) => {
  const { graph, target } = lowering;
  const { x, labels, factor } = node.inputs;
  const [rows, classes] = x.shape;
  const by = lowering.use(factor);
  const scaled = graph.op('Mul', [lowering.use(x), by]);
  const column = lowering.reshape(lowering.use(labels), [rows, 1]);
  const [output] = node.outputs;
  if (target.provider === 'gpu') {
    const numbers = Int32Array.from({ length: classes }, (_, index) => index);
    const hit = graph.op('Equal', [column, graph.constant('int32', [classes], numbers)]);
    const taken = graph.op('Where', [hit, by, graph.scalar(0)]);
    return lowering.define(output, graph.op('Sub', [scaled, taken]));
  }
  const places = graph.op('Cast', [column], { to: onnxTypes.int64 });
  const attributes = { axis: 1, reduction: 'add' };
  lowering.define(output, graph.op('ScatterElements', [scaled, places, graph.op('Neg', [by])], attributes));
};

/** A scalar under its own shape, which is known once another value is there. */
const after: Rule = (node, lowering) => {
  const { x, other } = node.inputs;
  const awaited = lowering.op('Shape', [lowering.use(other)], { end: 0 });
  lowering.define(node.outputs[0], lowering.op('Reshape', [lowering.use(x), awaited]));
};

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
  LessLabels: lessLabels,
  After: after,
};
