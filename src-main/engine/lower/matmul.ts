import type { Lowering, Rule } from './lowering.ts';
import type { Name } from './onnx-graph.ts';

/** Matrices in the last two axes; the leading ones broadcast. */
interface Matrices {
  name: Name;
  shape: readonly number[];
  transpose?: boolean;
}

/** factor · a · b. Where only this runtime reads the graph nothing is transposed in memory. */
export function batchedProduct(a: Matrices, b: Matrices, lowering: Lowering, factor = 1): Name {
  const { graph, target } = lowering;
  if (target.provider === 'cpu' && !target.open && (a.transpose || b.transpose || factor !== 1)) {
    const attributes = { transA: Number(a.transpose ?? false), transB: Number(b.transpose ?? false) };
    const alpha = { float: factor };
    return graph.op('FusedMatMul', [a.name, b.name], { ...attributes, alpha }, 'com.microsoft');
  }
  const turned = ({ name, shape, transpose }: Matrices) => {
    const rank = shape.length;
    return transpose ? lowering.permute(name, shape, [...Array(rank - 2).keys(), rank - 1, rank - 2]) : name;
  };
  const left = factor === 1 ? turned(a) : graph.op('Mul', [turned(a), graph.scalar(factor)]);
  return graph.op('MatMul', [left, turned(b)]);
}

/** Columns of a result for which ONNX Runtime turns the left matrix once. */
const stripe = 128;

/** Whether aᵀ · b, of so many rows each, is faster with one of them turned first. */
const turnsFirst = (count: number, rows: number, columns: number, { target }: Lowering): boolean =>
  target.provider === 'cpu' && count > stripe && Math.max(rows, columns) > stripe;

/**
 * aᵀ · b of a [count, rows] and b [count, columns], which a matrix's gradient is. ONNX Runtime would turn `a` anew for every stripe of the
 * result: the narrower one is turned here, once.
 */
function turnedProduct(
  a: Name,
  b: Name,
  [count, rows, columns]: readonly [number, number, number],
  lowering: Lowering,
): Name {
  if (rows <= columns) return lowering.product(lowering.permute(a, [count, rows], [1, 0]), b);
  const product = lowering.product(lowering.permute(b, [count, columns], [1, 0]), a);
  return lowering.permute(product, [columns, rows], [1, 0]);
}

/** The product of the last two axes; the leading ones broadcast. */
const batchMatMul: Rule = (node, lowering) => {
  const { a, b } = node.inputs;
  const [output] = node.outputs;
  const { transposeA, transposeB } = node.attrs as Record<string, boolean>;
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const single = [...batchA, ...batchB].every((extent) => extent === 1);
  if (single) {
    const [left, right] = [a, b].map((value) => lowering.reshape(lowering.use(value), value.shape.slice(-2)));
    const [rows, columns] = output.shape.slice(-2);
    const count = a.shape.at(transposeA ? -2 : -1)!;
    if (transposeA && !transposeB && turnsFirst(count, rows, columns, lowering)) {
      const product = turnedProduct(left, right, [count, rows, columns], lowering);
      return lowering.define(output, lowering.reshape(product, output.shape));
    }
    const product = lowering.product(left, right, transposeA, transposeB);
    return lowering.define(output, lowering.reshape(product, output.shape));
  }
  const left = { name: lowering.use(a), shape: a.shape, transpose: transposeA };
  const right = { name: lowering.use(b), shape: b.shape, transpose: transposeB };
  lowering.define(output, batchedProduct(left, right, lowering));
};

export const matmulRules: Record<string, Rule> = { BatchMatMul: batchMatMul };
