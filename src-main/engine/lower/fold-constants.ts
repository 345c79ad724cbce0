/** What a program's constants alone decide, decided before it is lowered. */
import {
  type ConstantValue,
  type Node,
  type ResultValue,
  sizeOf,
  type Trace,
  type Value,
} from '../trace/ir.ts';
import { usesOf, withInputs } from './forward-nodes.ts';

/** Elements up to which a tensor of constants is computed here: values per channel, not filters. */
const few = 2 ** 14;

const ofTwo: Record<string, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Multiply: (a, b) => a * b,
};
const ofOne: Record<string, (x: number) => number> = { Rsqrt: (x) => 1 / Math.sqrt(x) };

/**
 * The trace of a program whose state never changes with what follows from constants made, and with a factor for every output
 * channel of a convolution, as batch norm has one, taken into the filter.
 */
export function foldConstants(trace: Trace): Trace {
  if (trace.state.size > 0) return trace;
  return intoFilters(known(trace));
}

function known(trace: Trace): Trace {
  const uses = usesOf(trace);
  const constants = new Map<Value, Value>();
  const current = (value: Value): Value => constants.get(value) ?? value;
  const nodes: Node[] = [];
  for (const node of trace.nodes) {
    const moved = withInputs(node, current);
    const isLast = Object.values(node.inputs).every((value) => uses.get(value) === 1);
    const constant = constantOf(moved, isLast);
    if (constant) constants.set(node.outputs[0], constant);
    else nodes.push(moved);
  }
  return { ...withResults(trace, current), nodes };
}

const withResults = (trace: Trace, current: (value: Value) => Value): Trace => {
  const mapped = (values: ReadonlyMap<string, Value>) =>
    new Map([...values].map(([name, value]) => [name, current(value)]));
  return { ...trace, outputs: mapped(trace.outputs), diagnosis: mapped(trace.diagnosis) };
};

/** What a node of constants makes: of those of any size under another shape or side by side, and of few floats element by element. */
function constantOf(
  { kernel, inputs, attrs, outputs: [made] }: Node,
  isLast: boolean,
): ConstantValue | undefined {
  const given = Object.values(inputs);
  if (!given.every((value) => value.kind === 'constant' && value.dtype === 'float32')) return undefined;
  const [a, b] = given as ConstantValue[];
  const { id, shape } = made;
  if (kernel === 'Reshape' || kernel === 'ExpandDims') return { ...a, id, shape, isOurs: a.isOurs && isLast };
  const constant = (data: Float32Array): ConstantValue => ({
    kind: 'constant',
    id,
    shape,
    dtype: 'float32',
    data,
    fill: null,
  });
  if (kernel === 'Concat')
    return { ...constant(sideBySide(given as ConstantValue[], attrs.axis as number)), isOurs: true };
  const count = sizeOf(shape);
  if (count > few) return undefined;
  if (ofOne[kernel]) return constant(Float32Array.from(a.data, ofOne[kernel]));
  // Both as large as the result, or of one element.
  if (!ofTwo[kernel] || !given.every((value) => [1, count].includes(sizeOf(value.shape)))) return undefined;
  const at = (value: ConstantValue, index: number) => value.data[sizeOf(value.shape) === 1 ? 0 : index];
  return constant(
    Float32Array.from({ length: count }, (_, index) => ofTwo[kernel](at(a, index), at(b, index))),
  );
}

/** Constants one after the other along an axis. */
function sideBySide(parts: readonly ConstantValue[], axis: number): Float32Array {
  const widths = parts.map(({ shape }) => sizeOf(shape.slice(axis)));
  const whole = widths.reduce((a, b) => a + b);
  const joined = new Float32Array(parts.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let from = 0;
  for (const [index, { data }] of parts.entries()) {
    const width = widths[index];
    for (let row = 0; row * whole < joined.length; row++)
      joined.set(data.subarray(row * width, (row + 1) * width), row * whole + from);
    from += width;
  }
  return joined;
}

const convolutions = new Set(['Conv2D', 'GroupedConv2D', 'DepthwiseConv2dNative']);

function intoFilters(trace: Trace): Trace {
  const uses = usesOf(trace);
  const makers = new Map<Value, Node>();
  const nodes = new Set<Node>();
  for (const node of trace.nodes) {
    const [made] = node.outputs;
    const maker = node.kernel === 'Multiply' ? convolutionOf(node, makers, uses) : undefined;
    const next = maker ? scaledConvolution(maker.convolution, maker.factor, made, uses) : node;
    if (maker) nodes.delete(maker.convolution);
    nodes.add(next);
    makers.set(made, next);
  }
  return { ...trace, nodes: [...nodes] };
}

/** The convolution that nothing but this product takes, and the constant factor for every channel of its result. */
function convolutionOf(
  { inputs: { a, b }, outputs: [made] }: Node,
  makers: ReadonlyMap<Value, Node>,
  uses: ReadonlyMap<Value, number>,
): { convolution: Node; factor: ConstantValue } | undefined {
  const [image, factor] = b.kind === 'constant' ? [a, b] : [b, a];
  const convolution = makers.get(image);
  if (factor.kind !== 'constant' || uses.get(image) !== 1) return undefined;
  if (!convolution || !convolutions.has(convolution.kernel)) return undefined;
  const { filter } = convolution.inputs;
  if (filter.kind !== 'constant' || filter.factors) return undefined;
  const isChannelwise = factor.shape.at(-1) === made.shape[3] && sizeOf(factor.shape) === made.shape[3];
  const isSingle = convolution.kernel !== 'DepthwiseConv2dNative' || filter.shape[3] === 1;
  if (!isChannelwise || !isSingle) return undefined;
  return { convolution, factor };
}

function scaledConvolution(
  convolution: Node,
  { data }: ConstantValue,
  made: ResultValue,
  uses: ReadonlyMap<Value, number>,
): Node {
  const plain = convolution.inputs.filter as ConstantValue;
  const filter: ConstantValue = {
    ...plain,
    isOurs: plain.isOurs && uses.get(plain) === 1,
    fill: null,
    factors: data as Float32Array,
  };
  return { ...convolution, inputs: { ...convolution.inputs, filter }, outputs: [made] };
}
