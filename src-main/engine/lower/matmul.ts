import type { Rule } from './lowering.ts';

/** The product of the last two axes; the leading ones broadcast. */
const batchMatMul: Rule = (node, lowering) => {
  const { a, b } = node.inputs;
  const { transposeA, transposeB } = node.attrs as Record<string, boolean>;
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const single = [...batchA, ...batchB].every((extent) => extent === 1);
  if (single) {
    const [left, right] = [a, b].map((value) => lowering.reshape(lowering.use(value), value.shape.slice(-2)));
    const product = lowering.product(left, right, transposeA, transposeB);
    return lowering.define(node.outputs[0], lowering.reshape(product, node.outputs[0].shape));
  }
  const swapped = (value: typeof a, transpose: boolean) => {
    const rank = value.shape.length;
    const order = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    return transpose ? lowering.permute(lowering.use(value), value.shape, order) : lowering.use(value);
  };
  lowering.define(node.outputs[0], lowering.op('MatMul', [swapped(a, transposeA), swapped(b, transposeB)]));
};

export const matmulRules: Record<string, Rule> = { BatchMatMul: batchMatMul };
