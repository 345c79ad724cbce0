import { type Node, sizeOf, type Value } from '../trace/ir.ts';
import type { Layout, Lowering, Rule } from './lowering.ts';
import { type Name, onnxTypes } from './onnx-graph.ts';

type Emit = (inputs: Name[], lowering: Lowering, node: Node) => Name;

/** The layout an elementwise result is made in: that of the first full-size input that is not in tf.js's order. */
export function resultLayout(node: Node, lowering: Lowering): Layout {
  const out = node.outputs[0];
  if (out.shape.length !== 4) return 'nhwc';
  const inputs = Object.values(node.inputs);
  const full = (value: Value) => value.shape.join() === out.shape.join();
  const layout = inputs
    .filter(full)
    .map((value) => lowering.layoutOf(value))
    .find((each) => each !== 'nhwc');
  if (!layout) return 'nhwc';
  if (layout === 'nchw') return layout;
  // Channels in blocks are two axes, so that only single elements broadcast against them.
  return inputs.every((value) => full(value) || sizeOf(value.shape) === 1) ? layout : 'nhwc';
}

/** An operand that broadcasts against rank-4 tensors in the given layout. */
export function operand(value: Value, layout: Layout, lowering: Lowering): Name {
  const rank = value.shape.length;
  if (layout === 'nhwc' || sizeOf(value.shape) === 1) return lowering.use(value);
  if (rank === 4) return lowering.use(value, layout);
  const lifted = [...new Array<number>(4 - rank).fill(1), ...value.shape];
  return lowering.permute(lowering.reshape(lowering.use(value), lifted), lifted, [0, 3, 1, 2]);
}

/** A kernel that works element by element, whatever the layout. */
function elementwise(emit: Emit): Rule {
  return (node, lowering) => {
    const layout = resultLayout(node, lowering);
    const inputs = Object.values(node.inputs).map((value) => operand(value, layout, lowering));
    lowering.define(node.outputs[0], emit(inputs, lowering, node), layout);
  };
}

const direct = (type: string): Rule => elementwise((inputs, { graph }) => graph.op(type, inputs));

const directly: Record<string, string> = {
  Abs: 'Abs',
  Ceil: 'Ceil',
  Elu: 'Elu',
  Erf: 'Erf',
  Exp: 'Exp',
  Floor: 'Floor',
  Log: 'Log',
  Neg: 'Neg',
  Reciprocal: 'Reciprocal',
  Relu: 'Relu',
  Round: 'Round',
  Sigmoid: 'Sigmoid',
  Sign: 'Sign',
  Softplus: 'Softplus',
  Sqrt: 'Sqrt',
  Tanh: 'Tanh',
  LogicalNot: 'Not',
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Maximum: 'Max',
  Minimum: 'Min',
  Pow: 'Pow',
  Equal: 'Equal',
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
  LogicalAnd: 'And',
  LogicalOr: 'Or',
  Select: 'Where',
};

const clip = (min: (node: Node) => number, max: (node: Node) => number): Rule =>
  elementwise(([x], { graph }, node) => {
    const { dtype } = node.outputs[0];
    return graph.op('Clip', [x, graph.scalar(min(node), dtype), graph.scalar(max(node), dtype)]);
  });

/** log(1 + x) without losing small x: log(u)·x/(u − 1) with u = 1 + x. */
const log1p = elementwise(([x], { graph }) => {
  const one = graph.scalar(1);
  const u = graph.op('Add', [x, one]);
  const ratio = graph.op('Div', [x, graph.op('Sub', [u, one])]);
  return graph.op('Where', [graph.op('Equal', [u, one]), x, graph.op('Mul', [graph.op('Log', [u]), ratio])]);
});

const castTo = (name: Name, dtype: keyof typeof onnxTypes, { graph }: Lowering): Name =>
  graph.op('Cast', [name], { to: onnxTypes[dtype] });

export const elementwiseRules: Record<string, Rule> = {
  ...Object.fromEntries(Object.entries(directly).map(([kernel, type]) => [kernel, direct(type)])),
  AddN: elementwise((inputs, { graph }) => inputs.reduce((sum, input) => graph.op('Add', [sum, input]))),
  Cast: elementwise(([x], lowering, node) => castTo(x, node.outputs[0].dtype, lowering)),
  ClipByValue: clip(
    (node) => node.attrs.clipValueMin as number,
    (node) => node.attrs.clipValueMax as number,
  ),
  EluGrad: elementwise(([dy, y], { graph }) => {
    const negative = graph.op('Mul', [dy, graph.op('Add', [y, graph.scalar(1)])]);
    return graph.op('Where', [graph.op('GreaterOrEqual', [y, graph.scalar(0)]), dy, negative]);
  }),
  Expm1: elementwise(([x], { graph }) => graph.op('Sub', [graph.op('Exp', [x]), graph.scalar(1)])),
  FloorDiv: elementwise(([a, b], lowering, node) => {
    const { graph } = lowering;
    const [dividend, divisor] = [a, b].map((name) => castTo(name, 'float32', lowering));
    return castTo(graph.op('Floor', [graph.op('Div', [dividend, divisor])]), node.outputs[0].dtype, lowering);
  }),
  LeakyRelu: elementwise(([x], { graph }, node) =>
    graph.op('LeakyRelu', [x], { alpha: { float: node.attrs.alpha as number } }),
  ),
  Log1p: log1p,
  NotEqual: elementwise((inputs, { graph }) => graph.op('Not', [graph.op('Equal', inputs)])),
  Relu6: clip(
    () => 0,
    () => 6,
  ),
  Rsqrt: elementwise(([x], { graph }) => graph.op('Reciprocal', [graph.op('Sqrt', [x])])),
  Square: elementwise(([x], { graph }) => graph.op('Mul', [x, x])),
  SquaredDifference: elementwise((inputs, { graph }) => {
    const difference = graph.op('Sub', inputs);
    return graph.op('Mul', [difference, difference]);
  }),
  Step: elementwise(([x], lowering, node) => {
    const { graph } = lowering;
    const positive = graph.op('Greater', [x, graph.scalar(0)]);
    const alpha = node.attrs.alpha as number;
    if (!alpha) return castTo(positive, 'float32', lowering);
    return graph.op('Where', [positive, graph.scalar(1), graph.scalar(alpha)]);
  }),
};
