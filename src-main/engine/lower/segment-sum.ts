import { type Node, sizeOf, type Value } from '../trace/ir.ts';
import { elementwiseRules } from './elementwise.ts';
import type { Lowering, Rule } from './lowering.ts';
import { type Name, onnxTypes } from './onnx-graph.ts';

/** Segment sums that are not made yet, by their results. */
const waiting = new WeakMap<Lowering, Map<Value, Node>>();

/**
 * Sums of rows by segment, the gradient of a gather: a scatter that adds; on a GPU the product with the segments' one-hot matrix. On
 * the CPU it waits for what is added to it, as to the gradient of an embedding that is also a matrix: then rows are added to that one.
 */
const segmentSum: Rule = (node, lowering) => {
  const [output] = node.outputs;
  if (lowering.target.provider === 'gpu' || output.dtype !== 'float32')
    return lowering.define(output, made(node, lowering));
  const nodes = waiting.get(lowering) ?? new Map<Value, Node>();
  waiting.set(lowering, nodes);
  nodes.set(output, node);
  lowering.defer(output, 'nhwc', () => made(node, lowering));
};

function made(node: Node, lowering: Lowering): Name {
  const { graph, target } = lowering;
  const { shape, dtype } = node.outputs[0];
  const { rows, extents } = rowsOf(node, lowering);
  const [count, , columns] = extents;
  const sum =
    target.provider === 'gpu'
      ? byProduct(rows, node.inputs.segmentIds, extents, lowering)
      : scattered(graph.filled([count, columns], 0, 'float32'), rows, node, extents, lowering);
  const sums = lowering.reshape(sum, shape);
  return dtype === 'float32' ? sums : graph.op('Cast', [sums], { to: onnxTypes[dtype] });
}

/** An addition to a segment sum that nothing else takes. */
const add: Rule = (node, lowering) => {
  const { a, b } = node.inputs;
  const [output] = node.outputs;
  const nodes = waiting.get(lowering);
  const sum = [a, b].find((value) => nodes?.has(value) && lowering.usesOf(value) === 1);
  const other = sum === a ? b : a;
  if (!sum || other.shape.join() !== sum.shape.join() || other === sum)
    return elementwiseRules.Add(node, lowering);
  const segments = nodes!.get(sum)!;
  const { rows, extents } = rowsOf(segments, lowering);
  const base = lowering.reshape(lowering.use(other), [extents[0], extents[2]]);
  const total = scattered(base, rows, segments, extents, lowering);
  lowering.define(output, lowering.reshape(total, output.shape));
};

type Extents = readonly [count: number, length: number, columns: number];

function rowsOf(node: Node, lowering: Lowering): { rows: Name; extents: Extents } {
  const { x, segmentIds } = node.inputs;
  const count = node.attrs.numSegments as number;
  const length = sizeOf(segmentIds.shape);
  const columns = sizeOf(node.outputs[0].shape) / count;
  const floats =
    x.dtype === 'float32'
      ? lowering.use(x)
      : lowering.graph.op('Cast', [lowering.use(x)], { to: onnxTypes.float32 });
  const rows = lowering.reshape(floats, [length, columns]);
  return { rows, extents: [count, length, columns] };
}

/** `to` with every row added to that of its segment. */
function scattered(to: Name, rows: Name, node: Node, [, length, columns]: Extents, lowering: Lowering): Name {
  const { graph } = lowering;
  const ids = graph.op('Cast', [lowering.use(node.inputs.segmentIds)], { to: onnxTypes.int64 });
  const places = graph.op('Expand', [lowering.reshape(ids, [length, 1]), graph.ints([length, columns])]);
  return graph.op('ScatterElements', [to, places, rows], { axis: 0, reduction: 'add' });
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

/** Behind the elementwise rules: an addition is theirs where no segment sum is in it. */
export const segmentSumRules: Record<string, Rule> = { UnsortedSegmentSum: segmentSum, Add: add };
