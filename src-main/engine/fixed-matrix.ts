import type { Matrix } from '../../src-shared/matrix.ts';
import { OnnxGraph } from './lower/onnx-graph.ts';
import { ort, runInto } from './run/session.ts';
import { openSessionSet } from './run/session-set.ts';

/** Real numbers in single or double precision. */
export type Reals = Float32Array | Float64Array;

/**
 * Products with one matrix X [rows, columns] that stays the same while many others, of `k` rows, are multiplied with
 * it. The precision of a product is that of its arguments, which agree.
 */
export interface FixedMatrix {
  readonly rows: number;
  readonly columns: number;
  /** out [k, rows] = W Xᵀ for W [k, columns], all row-major. */
  timesTransposed(w: Reals, out: Reals): Promise<void>;
  /** out [k, columns] = R X for R [k, rows], all row-major. */
  times(r: Reals, out: Reals): Promise<void>;
  /** out [k, columns] = R (X ∘ X) for R [k, rows], with X's elements squared. Single precision. */
  timesSquares(r: Float32Array, out: Float32Array): Promise<void>;
  /**
   * The curvature of a softmax: with the columns of Q [k, rows] distributions, scores [k, rows] = P Xᵀ and
   * out [k, columns] = S X, where column i of S is (diag q_i − q_i q_iᵀ) scores_i. In one go, and in single precision.
   */
  softmaxCurvature(p: Float32Array, q: Float32Array, scores: Float32Array, out: Float32Array): Promise<void>;
  dispose(): Promise<void>;
}

/** Opens the products of `x` with matrices of `k` rows, run by ONNX Runtime on the CPU with X packed once. */
export function openFixedMatrix(x: Matrix, k: number): FixedMatrix {
  const { rows, columns } = x;
  const sessions = openSessionSet();
  const product = async (a: Reals, out: Reals, transposed: boolean, of = '', matrix = () => x) => {
    const dtype = a instanceof Float64Array ? 'float64' : 'float32';
    const session = await sessions.get(`${of} ${dtype} ${transposed}`, () =>
      productGraph(matrix(), k, dtype, transposed),
    );
    const [inner, width] = transposed ? [columns, rows] : [rows, columns];
    await runInto(
      session,
      { a: new ort.Tensor(dtype, a, [k, inner]) },
      { out: new ort.Tensor(dtype, out, [k, width]) },
    );
  };
  return {
    rows,
    columns,
    timesTransposed: (w, out) => product(w, out, true),
    times: (r, out) => product(r, out, false),
    timesSquares: (r, out) =>
      product(r, out, false, 'squares', () => ({
        rows,
        columns,
        data: new Float32Array(x.data).map((value) => value * value),
      })),
    async softmaxCurvature(p, q, scores, out) {
      const session = await sessions.get('curvature', () => curvatureGraph(x, k));
      const tensor = (data: Float32Array, width: number) => new ort.Tensor('float32', data, [k, width]);
      await runInto(
        session,
        { p: tensor(p, columns), q: tensor(q, rows) },
        { scores: tensor(scores, rows), out: tensor(out, columns) },
      );
    },
    dispose: () => sessions.dispose(),
  };
}

const constantOf = (graph: OnnxGraph, { data, rows, columns }: Matrix, dtype: 'float32' | 'float64') =>
  graph.constant(
    dtype,
    [rows, columns],
    dtype === 'float64' ? new Float64Array(data) : new Float32Array(data),
  );

function productGraph(x: Matrix, k: number, dtype: 'float32' | 'float64', transposed: boolean): Uint8Array {
  const graph = new OnnxGraph();
  graph.named('out', 'Gemm', ['a', constantOf(graph, x, dtype)], { transB: Number(transposed) });
  const [inner, width] = transposed ? [x.columns, x.rows] : [x.rows, x.columns];
  return graph.toBytes(
    [{ name: 'a', shape: [k, inner], dtype }],
    [{ name: 'out', shape: [k, width], dtype }],
    { intoGiven: true },
  );
}

function curvatureGraph(x: Matrix, k: number): Uint8Array {
  const graph = new OnnxGraph();
  const dtype = 'float32';
  const constant = constantOf(graph, x, dtype);
  graph.named('scores', 'Gemm', ['p', constant], { transB: 1 });
  const weighted = graph.op('Mul', ['q', 'scores']);
  const mean = graph.op('ReduceSum', [weighted, graph.ints([0])], { keepdims: 1 });
  const centered = graph.op('Mul', ['q', graph.op('Sub', ['scores', mean])]);
  graph.named('out', 'Gemm', [centered, constant]);
  return graph.toBytes(
    [
      { name: 'p', shape: [k, x.columns], dtype },
      { name: 'q', shape: [k, x.rows], dtype },
    ],
    [
      { name: 'scores', shape: [k, x.rows], dtype },
      { name: 'out', shape: [k, x.columns], dtype },
    ],
    { intoGiven: true },
  );
}
