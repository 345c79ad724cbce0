import type { Matrix } from '../../src-shared/matrix.ts';
import { OnnxGraph } from './lower/onnx-graph.ts';
import { openSession, ort } from './run/session.ts';

/** Real numbers in single or double precision. */
export type Reals = Float32Array | Float64Array;

/**
 * Products with one matrix X [rows, columns] that stays the same while many others are multiplied with it. The
 * precision of a product is that of its arguments, which agree.
 */
export interface FixedMatrix {
  readonly rows: number;
  readonly columns: number;
  /** out [k, rows] = W Xᵀ for W [k, columns], all row-major. */
  timesTransposed(w: Reals, out: Reals): Promise<void>;
  /** out [k, columns] = R X for R [k, rows], all row-major. */
  times(r: Reals, out: Reals): Promise<void>;
  dispose(): Promise<void>;
}

/** Opens the products of `x` with matrices of `k` rows, each run by ONNX Runtime on the CPU with X packed once. */
export async function openFixedMatrix(x: Matrix, k: number): Promise<FixedMatrix> {
  const { rows, columns } = x;
  const sessions = new Map<string, ReturnType<typeof openSession>>();

  const product = async (a: Reals, out: Reals, transposed: boolean) => {
    const dtype = a instanceof Float64Array ? 'float64' : 'float32';
    const key = `${dtype} ${transposed}`;
    const inner = transposed ? columns : rows;
    const width = transposed ? rows : columns;
    if (!sessions.has(key)) sessions.set(key, openProduct(x, k, dtype, transposed));
    const session = await sessions.get(key)!;
    await session.run(
      { a: new ort.Tensor(dtype, a, [k, inner]) },
      { out: new ort.Tensor(dtype, out, [k, width]) },
    );
  };
  return {
    rows,
    columns,
    timesTransposed: (w, out) => product(w, out, true),
    times: (r, out) => product(r, out, false),
    async dispose() {
      for (const session of sessions.values()) await (await session).release();
      sessions.clear();
    },
  };
}

function openProduct(
  { data, rows, columns }: Matrix,
  k: number,
  dtype: 'float32' | 'float64',
  transposed: boolean,
): ReturnType<typeof openSession> {
  const graph = new OnnxGraph();
  const x = graph.constant(
    dtype,
    [rows, columns],
    dtype === 'float64' ? Float64Array.from(data) : Float32Array.from(data),
  );
  graph.named('out', 'Gemm', ['a', x], { transB: Number(transposed) });
  const [inner, width] = transposed ? [columns, rows] : [rows, columns];
  const model = graph.toBytes(
    [{ name: 'a', shape: [k, inner], dtype }],
    [{ name: 'out', shape: [k, width], dtype }],
  );
  return openSession(model, { executionProviders: ['cpu'] });
}
