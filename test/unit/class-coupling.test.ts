import { expect, test } from 'vitest';
import { openBlockProducts } from '../../src-main/engine/block-products.ts';
import { openFixedMatrix } from '../../src-main/engine/fixed-matrix.ts';
import { coupleClasses } from '../../src-main/transfer/class-coupling.ts';
import { indexDraws } from '../reference-draws.ts';

const draw = indexDraws(3);
const random = () => draw(1 << 30) / (1 << 30);
const [K, D] = [4, 5];

/** Predictions of some samples: a few columns are large in each, and columns that nothing is large in come last. */
function problem(labels: Int32Array) {
  const N = labels.length;
  const data = Float64Array.from({ length: N * D }, (_, at) =>
    at % D === labels[Math.floor(at / D)] ? 0.5 + 0.4 * random() : 0.0001 * random(),
  );
  const q = new Float32Array(K * N);
  for (let i = 0; i < N; i++) {
    const weights = Array.from({ length: K }, (_, k) => random() + Number(k === labels[i]));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [k, weight] of weights.entries()) q[k * N + i] = weight / total;
  }
  return { data, q, N };
}

/** B_j = 1 + C Σ_i x_ij² (diag q_i − q_i q_iᵀ), [K, K]. */
const blockOf = ({ data, q, N }: ReturnType<typeof problem>, j: number, C: number): number[][] =>
  Array.from({ length: K }, (_, k) =>
    Array.from({ length: K }, (_, l) => {
      let value = Number(k === l);
      for (let i = 0; i < N; i++)
        value += C * data[i * D + j] ** 2 * q[k * N + i] * (Number(k === l) - q[l * N + i]);
      return value;
    }),
  );

/** Every block's inverse, as found, times the block itself. */
async function inverseTimesBlock(labels: Int32Array, C: number): Promise<number[][][]> {
  const made = problem(labels);
  const { data, q, N } = made;
  const x = openFixedMatrix({ data, rows: N, columns: D }, K);
  const blocks = openBlockProducts(K, D);
  const curvature = new Float32Array(K * D);
  await x.timesSquares(
    q.map((value) => value * (1 - value)),
    curvature,
  );
  const coupling = await coupleClasses(x, blocks, labels, q, curvature, C);
  const wholes = Array.from({ length: D }, (_, j) => blockOf(made, j, C));
  const products = wholes.map(() => [] as number[][]);
  for (let l = 0; l < K; l++) {
    const [columns, found] = [new Float32Array(K * D), new Float32Array(K * D)];
    for (const [j, whole] of wholes.entries()) for (let k = 0; k < K; k++) columns[k * D + j] = whole[k][l];
    await blocks.times(coupling, columns, found);
    for (const [j, product] of products.entries())
      product.push(Array.from({ length: K }, (_, k) => found[k * D + j]));
  }
  await blocks.dispose();
  await x.dispose();
  return products;
}

test('with one sample of every label the blocks are turned round exactly', async () => {
  const products = await inverseTimesBlock(Int32Array.of(0, 1, 2, 3), 1000);
  for (const product of products)
    for (const [l, column] of product.entries())
      for (const [k, value] of column.entries()) expect(Math.abs(value - Number(k === l))).toBeLessThan(0.03);
});

test('with several samples of a label they are turned round all but, the uncoupled sum of all classes too', async () => {
  const labels = Int32Array.from({ length: 24 }, (_, i) => i % K);
  const C = 1000;
  for (const product of await inverseTimesBlock(labels, C)) {
    const sums = Array.from({ length: K }, (_, k) => product.reduce((sum, column) => sum + column[k], 0));
    // A softmax does not change along 1, so that B 1 = 1; a diagonal would leave about a thousandth of it.
    for (const value of sums) expect(value).toBeGreaterThan(0.5);
    for (const value of sums) expect(value).toBeLessThan(1.5);
  }
});
