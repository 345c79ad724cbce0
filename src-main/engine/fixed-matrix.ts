import type { Matrix } from '../../src-shared/matrix.ts';
import { type ConstantApart, OnnxGraph } from './lower/onnx-graph.ts';
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
  /** Whether the last column's weights are free: a bias, where it holds ones. All others decay. */
  readonly hasFreeColumn: boolean;
  /** out [k, rows] = W Xᵀ for W [k, columns], all row-major. */
  timesTransposed(w: Reals, out: Reals): Promise<void>;
  /** out [k, columns] = R X for R [k, rows], all row-major. */
  times(r: Reals, out: Reals): Promise<void>;
  /** The diagonal of a softmax's curvature: out [k, columns] = (Q ∘ (1 − Q)) (X ∘ X) for Q [k, rows]. Single precision. */
  curvatureDiagonal(q: Float32Array, out: Float32Array): Promise<void>;
  /** One step of conjugate gradients, from where they stand into other memory; returns ‖r‖² there. Single precision. */
  conjugateStep(system: CurvatureSystem, from: ConjugateGradients, into: ConjugateGradients): Promise<number>;
  dispose(): Promise<void>;
}

/**
 * The matrix H with H p = C S X + p for p [k, columns], where column i of S [k, rows] is (diag q_i − q_i q_iᵀ) of column i of
 * p Xᵀ: the curvature of a softmax that gives the distributions q_i, with a weight decay of 1. In the free column the addend p
 * is left out.
 */
export interface CurvatureSystem {
  C: number;
  /** [k, rows], its columns distributions. */
  q: Float32Array;
  /** The diagonal of the preconditioner M, [k, columns]. */
  scale: Float32Array;
}

/** Where conjugate gradients for H d = b stand (Nocedal and Wright 2006, algorithm 5.3). */
export interface ConjugateGradients {
  /** d [k, columns] */
  solution: Float32Array;
  /** d Xᵀ [k, rows] */
  scores: Float32Array;
  /** r = b − H d [k, columns] */
  residual: Float32Array;
  /** The direction of the next step, [k, columns]. */
  direction: Float32Array;
  /** rᵀ M r, one number. */
  energy: Float32Array;
}

/** Opens the products of `x` with matrices of `k` rows, run by ONNX Runtime on the CPU with X packed once. */
export function openFixedMatrix(x: Matrix, k: number, hasFreeColumn = false): FixedMatrix {
  const { rows, columns } = x;
  const sessions = openSessionSet();
  const product = async (a: Reals, out: Reals, transposed: boolean) => {
    const dtype = a instanceof Float64Array ? 'float64' : 'float32';
    const session = await sessions.get(`${dtype} ${transposed}`, (apart) =>
      productGraph(x, k, dtype, transposed, apart),
    );
    const [inner, width] = transposed ? [columns, rows] : [rows, columns];
    await runInto(
      session,
      { a: new ort.Tensor(dtype, a, [k, inner]) },
      { out: new ort.Tensor(dtype, out, [k, width]) },
    );
  };
  const tensor = (data: Float32Array, width: number) => new ort.Tensor('float32', data, [k, width]);
  return {
    rows,
    columns,
    hasFreeColumn,
    timesTransposed: (w, out) => product(w, out, true),
    times: (r, out) => product(r, out, false),
    async curvatureDiagonal(q, out) {
      const session = await sessions.get('diagonal', (apart) => diagonalGraph(x, k, apart));
      await runInto(session, { q: tensor(q, rows) }, { out: tensor(out, columns) });
    },
    async conjugateStep({ C, q, scale }, from, into) {
      const session = await sessions.get('conjugate', (apart) => conjugateGraph(x, k, hasFreeColumn, apart));
      const tensors = ({ solution, scores, residual, direction, energy }: ConjugateGradients) => ({
        solution: tensor(solution, columns),
        scores: tensor(scores, rows),
        residual: tensor(residual, columns),
        direction: tensor(direction, columns),
        energy: new ort.Tensor('float32', energy, []),
      });
      const squares = new Float32Array(1);
      const given = { C: new ort.Tensor('float32', Float32Array.of(C), []), q: tensor(q, rows) };
      const next = Object.entries(tensors(into)).map(([name, memory]) => [`${name}:next`, memory]);
      await runInto(
        session,
        { ...given, scale: tensor(scale, columns), ...tensors(from) },
        { ...Object.fromEntries(next), squares: new ort.Tensor('float32', squares, []) },
      );
      return squares[0];
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

function productGraph(
  x: Matrix,
  k: number,
  dtype: 'float32' | 'float64',
  transposed: boolean,
  apart: ConstantApart[],
): Uint8Array {
  const graph = new OnnxGraph();
  graph.named('out', 'Gemm', ['a', constantOf(graph, x, dtype)], { transB: Number(transposed) });
  const [inner, width] = transposed ? [x.columns, x.rows] : [x.rows, x.columns];
  return graph.toBytes(
    [{ name: 'a', shape: [k, inner], dtype }],
    [{ name: 'out', shape: [k, width], dtype }],
    { intoGiven: true, apart },
  );
}

function diagonalGraph(x: Matrix, k: number, apart: ConstantApart[]): Uint8Array {
  const graph = new OnnxGraph();
  const squares = new Float32Array(x.data).map((value) => value * value);
  const variances = graph.op('Mul', ['q', graph.op('Sub', [graph.scalar(1), 'q'])]);
  graph.named('out', 'Gemm', [variances, constantOf(graph, { ...x, data: squares }, 'float32')]);
  return graph.toBytes(
    [{ name: 'q', shape: [k, x.rows], dtype: 'float32' }],
    [{ name: 'out', shape: [k, x.columns], dtype: 'float32' }],
    { intoGiven: true, apart },
  );
}

function conjugateGraph(x: Matrix, k: number, hasFreeColumn: boolean, apart: ConstantApart[]): Uint8Array {
  const graph = new OnnxGraph();
  const constant = constantOf(graph, x, 'float32');
  const op = (type: string, ...inputs: string[]) => graph.op(type, inputs);
  const sum = (type: string, value: string, as: string) => graph.named(as, type, [value], { keepdims: 0 });

  const scores = graph.op('Gemm', ['direction', constant], { transB: 1 });
  const mean = graph.op('ReduceSum', [op('Mul', 'q', scores), graph.ints([0])], { keepdims: 1 });
  const curved = op('Gemm', op('Mul', 'q', op('Sub', scores, mean)), constant);
  const decay = Float32Array.from({ length: x.columns }, (_, j) => Number(j < x.columns - 1));
  const decayed = hasFreeColumn
    ? op('Mul', 'direction', graph.constant('float32', [1, x.columns], decay))
    : 'direction';
  const image = op('Add', op('Mul', curved, 'C'), decayed);
  sum('ReduceSum', op('Mul', 'direction', image), 'curvature');
  const length = op('Div', 'energy', 'curvature');

  graph.named('solution:next', 'Add', ['solution', op('Mul', 'direction', length)]);
  graph.named('scores:next', 'Add', ['scores', op('Mul', scores, length)]);
  graph.named('residual:next', 'Sub', ['residual', op('Mul', image, length)]);
  sum('ReduceSumSquare', 'residual:next', 'squares');
  const scaled = op('Mul', 'residual:next', 'scale');
  sum('ReduceSum', op('Mul', 'residual:next', scaled), 'energy:next');
  const kept = op('Mul', 'direction', op('Div', 'energy:next', 'energy'));
  graph.named('direction:next', 'Add', [scaled, kept]);

  const spec = (shape: number[]) => (name: string) => ({ name, shape, dtype: 'float32' as const });
  const [weights, ofRows, number] = [spec([k, x.columns]), spec([k, x.rows]), spec([])];
  const ends = (after: string) => [
    ...['solution', 'residual', 'direction'].map((name) => weights(name + after)),
    ofRows(`scores${after}`),
    number(`energy${after}`),
  ];
  return graph.toBytes(
    [number('C'), ofRows('q'), weights('scale'), ...ends('')],
    [...ends(':next'), number('squares')],
    { intoGiven: true, apart },
  );
}
