/** Attention of several heads and its gradient. */
import type { Node } from '../trace/ir.ts';
import type { Lowering, Rule } from './lowering.ts';
import { batchedProduct } from './matmul.ts';
import type { Name } from './onnx-graph.ts';

interface Extents {
  batch: number;
  count: number;
  heads: number;
  depth: number;
}

function extentsOf({ inputs: { x }, attrs }: Node): Extents {
  const heads = attrs.heads as number;
  const [batch, count, channels] = x.shape;
  return { batch, count, heads, depth: channels / 3 / heads };
}

/**
 * Queries, keys and values as [batch, heads, count, depth], their softmax, and the weights that are left of it. Nodes made before are
 * not made again.
 */
function attended(node: Node, extents: Extents, lowering: Lowering) {
  const { batch, count, heads, depth } = extents;
  const x = lowering.use(node.inputs.x);
  const [query, key, value] = [0, 1, 2].map((part) => headsOf(x, 3, part, extents, lowering));
  const shape = [batch, heads, count, depth];
  const keys = { name: key, shape, transpose: true };
  const scores = batchedProduct({ name: query, shape }, keys, lowering, depth ** -0.5);
  const { bias } = node.inputs;
  const seen = bias
    ? lowering.op('Add', [scores, lowering.reshape(lowering.use(bias), [batch, 1, 1, count])])
    : scores;
  const softmax = lowering.op('Softmax', [seen], { axis: -1 });
  return { query, key, value, softmax, weights: keep(softmax, node, lowering) };
}

const keep = (weights: Name, { inputs: { kept } }: Node, lowering: Lowering): Name =>
  kept ? lowering.op('Mul', [weights, lowering.use(kept)]) : weights;

const attention: Rule = (node, lowering) => {
  const extents = extentsOf(node);
  const { weights, value } = attended(node, extents, lowering);
  const mixed = lowering.op('MatMul', [weights, value]);
  lowering.define(node.outputs[0], merged([mixed], extents, lowering));
};

const attentionGradient: Rule = (node, lowering) => {
  const { graph } = lowering;
  const extents = extentsOf(node);
  const { batch, count, heads, depth } = extents;
  const shape = [batch, heads, count, depth];
  const square = [batch, heads, count, count];
  const [dy, y] = [node.inputs.dy, node.inputs.y].map((value) => lowering.use(value));
  const { query, key, value, softmax, weights } = attended(node, extents, lowering);
  const slope = { name: headsOf(dy, 1, 0, extents, lowering), shape };
  const products = lowering.reshape(graph.op('Mul', [dy, y]), [batch, count, heads, depth]);
  const sums = graph.op('ReduceSum', [products, graph.ints([3])], { keepdims: 1 });
  const along = lowering.permute(sums, [batch, count, heads, 1], [0, 2, 1, 3]);
  const product = batchedProduct(slope, { name: value, shape, transpose: true }, lowering);
  const towards = keep(product, node, lowering);
  const scores = { name: graph.op('Mul', [softmax, graph.op('Sub', [towards, along])]), shape: square };
  const factor = depth ** -0.5;
  const parts = [
    batchedProduct(scores, { name: key, shape }, lowering, factor),
    batchedProduct({ ...scores, transpose: true }, { name: query, shape }, lowering, factor),
    batchedProduct({ name: weights, shape: square, transpose: true }, slope, lowering),
  ];
  lowering.define(node.outputs[0], merged(parts, extents, lowering));
};

/** Whether rows of one head are picked, which ONNX Runtime does on all processors, where how many there are is known. */
const picksRows = ({ target }: Lowering): boolean => target.provider === 'cpu' && !target.open;

/** One of the parts of [batch, count, parts · heads · depth] as [batch, heads, count, depth]. */
function headsOf(x: Name, parts: number, part: number, extents: Extents, lowering: Lowering): Name {
  const { batch, count, heads, depth } = extents;
  if (picksRows(lowering)) {
    const rows: number[] = [];
    for (let image = 0; image < batch; image++)
      for (let head = 0; head < heads; head++)
        for (let token = 0; token < count; token++)
          rows.push(((image * count + token) * parts + part) * heads + head);
    const matrix = lowering.reshape(x, [parts * rows.length, depth]);
    const picked = lowering.graph.pickRows(matrix, parts * rows.length, rows);
    return lowering.reshape(picked, [batch, heads, count, depth]);
  }
  const whole = lowering.reshape(x, [batch, count, parts, heads, depth]);
  const cut = parts === 1 ? whole : lowering.slice(whole, [2], [part], [part + 1]);
  const shape = [batch, count, heads, depth];
  return lowering.permute(lowering.reshape(cut, shape), shape, [0, 2, 1, 3]);
}

/** Parts [batch, heads, count, depth] as [batch, count, parts · heads · depth]. */
function merged(parts: readonly Name[], extents: Extents, lowering: Lowering): Name {
  const { batch, count, heads, depth } = extents;
  const whole = [batch, count, parts.length * heads * depth];
  if (picksRows(lowering)) {
    const rows: number[] = [];
    for (let image = 0; image < batch; image++)
      for (let token = 0; token < count; token++)
        for (let part = 0; part < parts.length; part++)
          for (let head = 0; head < heads; head++)
            rows.push(((part * batch + image) * heads + head) * count + token);
    const stacked = parts.length === 1 ? parts[0] : lowering.op('Concat', parts, { axis: 0 });
    const matrix = lowering.reshape(stacked, [rows.length, depth]);
    return lowering.reshape(lowering.graph.pickRows(matrix, rows.length, rows), whole);
  }
  const moved = parts.map((part) => lowering.permute(part, [batch, heads, count, depth], [0, 2, 1, 3]));
  if (moved.length === 1) return lowering.reshape(moved[0], whole);
  const each = moved.map((part) => lowering.reshape(part, [batch, count, 1, heads, depth]));
  return lowering.reshape(lowering.op('Concat', each, { axis: 2 }), whole);
}

export const attentionRules: Record<string, Rule> = {
  Attention: attention,
  AttentionGrad: attentionGradient,
};
