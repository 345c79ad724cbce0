import { util } from '@tensorflow/tfjs-core';
import { type Node, sizeOf } from '../trace/ir.ts';
import type { Layout, Lowering, Rule } from './lowering.ts';
import { type Name, onnxTypes } from './onnx-graph.ts';

interface Reduction {
  /** The input in the layout chosen. */
  x: Name;
  /** Axes to reduce, in that layout. */
  axes: number[];
  keepDims: boolean;
  layout: Layout;
}

const nhwcToNchwAxis = [0, 2, 3, 1];

/** Reduces where the input lies, unless that would leave kept axes in another order. */
function prepare(node: Node, lowering: Lowering): Reduction {
  const { x } = node.inputs;
  const keepDims = Boolean(node.attrs.keepDims);
  // tf.js names the axes of Max differently from every other reduction's.
  const axis = node.attrs.axis ?? node.attrs.reductionIndices;
  const axes = util.parseAxisParam(axis as number | number[], [...x.shape]);
  const inPlace = x.shape.length === 4 && lowering.layoutOf(x) === 'nchw';
  const spatial = axes.includes(1) && axes.includes(2);
  if (!inPlace || !(keepDims || spatial || axes.includes(3)))
    return { x: lowering.use(x), axes, keepDims, layout: 'nhwc' };
  return {
    x: lowering.use(x, 'nchw'),
    axes: axes.map((axis) => nhwcToNchwAxis[axis]),
    keepDims,
    layout: keepDims ? 'nchw' : 'nhwc',
  };
}

const reduce =
  (type: string): Rule =>
  (node, lowering) => {
    const { graph } = lowering;
    const { x, axes, keepDims, layout } = prepare(node, lowering);
    if (axes.length === 0) return lowering.define(node.outputs[0], graph.op('Identity', [x]), layout);
    const name = graph.op(type, [x, graph.ints(axes)], { keepdims: Number(keepDims) });
    lowering.define(node.outputs[0], name, layout);
  };

/** Sums over leading axes are a product with ones on the CPU: several times as fast as ReduceSum. */
const sum: Rule = (node, lowering) => {
  const { x } = node.inputs;
  const [output] = node.outputs;
  const axes = util.parseAxisParam(node.attrs.axis as number | number[], [...x.shape]).sort((a, b) => a - b);
  const isLeading = axes.length > 0 && axes.length < x.shape.length && axes.every((axis, at) => axis === at);
  const isPlain = x.dtype === 'float32' && lowering.layoutOf(x) === 'nhwc';
  if (lowering.target.provider !== 'cpu' || !isLeading || !isPlain)
    return reduce('ReduceSum')(node, lowering);
  const columns = sizeOf(x.shape.slice(axes.length));
  const sums = lowering.sumRows(lowering.use(x), sizeOf(x.shape) / columns, columns);
  lowering.define(output, lowering.reshape(sums, output.shape));
};

/** A reduction over booleans, done on int32. */
const logical =
  (type: string): Rule =>
  (node, lowering) => {
    const { graph } = lowering;
    const { x, axes, keepDims, layout } = prepare(node, lowering);
    const numbers = graph.op('Cast', [x], { to: onnxTypes.int32 });
    const name = graph.op(type, [numbers, graph.ints(axes)], { keepdims: Number(keepDims) });
    lowering.define(node.outputs[0], graph.op('Cast', [name], { to: onnxTypes.bool }), layout);
  };

const argument =
  (type: string): Rule =>
  (node, lowering) => {
    const { graph } = lowering;
    const { x } = node.inputs;
    const [axis] = util.parseAxisParam(node.attrs.axis as number, [...x.shape]);
    const index = graph.op(type, [lowering.use(x)], { axis, keepdims: 0 });
    lowering.define(node.outputs[0], graph.op('Cast', [index], { to: onnxTypes.int32 }));
  };

/** In the order that the value lies in: what fills blocks of a filter up is zero. */
const sumOfSquares: Rule = (node, lowering) => {
  const { graph, target } = lowering;
  const { x } = node.inputs;
  const made = lowering.layoutOf(x);
  const value = lowering.use(x, made === 'blocked' ? 'nhwc' : made);
  const name =
    target.provider === 'cpu'
      ? graph.op('ReduceSumSquare', [value], { keepdims: 0 })
      : graph.op('ReduceSum', [graph.op('Mul', [value, value])], { keepdims: 0 });
  lowering.define(node.outputs[0], name);
};

const softmax: Rule = (node, lowering) => {
  const { logits } = node.inputs;
  const [axis] = util.parseAxisParam((node.attrs.dim as number) ?? -1, [...logits.shape]);
  lowering.define(node.outputs[0], lowering.op('Softmax', [lowering.use(logits)], { axis }));
};

export const reductionRules: Record<string, Rule> = {
  Sum: sum,
  SumOfSquares: sumOfSquares,
  Mean: reduce('ReduceMean'),
  Max: reduce('ReduceMax'),
  Min: reduce('ReduceMin'),
  Prod: reduce('ReduceProd'),
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Softmax: softmax,
  Cumsum: (node, lowering) => {
    const { x } = node.inputs;
    const { graph } = lowering;
    const axis = graph.scalar(util.parseAxisParam(node.attrs.axis as number, [...x.shape])[0], 'int32');
    const { exclusive, reverse } = node.attrs;
    const attributes = { exclusive: Number(exclusive ?? false), reverse: Number(reverse ?? false) };
    lowering.define(node.outputs[0], graph.op('CumSum', [lowering.use(x), axis], attributes));
  },
};
