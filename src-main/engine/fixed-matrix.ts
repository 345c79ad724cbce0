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
  /** X itself. */
  readonly values: Matrix;
  /** out [k, rows] = W Xᵀ for W [k, columns], all row-major. */
  timesTransposed(w: Reals, out: Reals): Promise<void>;
  /** out [k, columns] = R X for R [k, rows], all row-major. */
  times(r: Reals, out: Reals): Promise<void>;
  /** out [k, columns] = R (X ∘ X) for R [k, rows]. Single precision. */
  timesSquares(r: Float32Array, out: Float32Array): Promise<void>;
  /**
   * One step of conjugate gradients, from where they stand into other memory, where `preconditioned` [k, columns] is M r for r
   * there; returns ‖r‖² after it. Single precision.
   */
  conjugateStep(
    system: CurvatureSystem,
    preconditioned: Float32Array,
    from: ConjugateGradients,
    into: ConjugateGradients,
  ): Promise<number>;
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
}

/** Where conjugate gradients for H d = b stand (Nocedal and Wright 2006, algorithm 5.3). */
export interface ConjugateGradients {
  /** d [k, columns] */
  solution: Float32Array;
  /** d Xᵀ [k, rows] */
  scores: Float32Array;
  /** r = b − H d [k, columns] */
  residual: Float32Array;
  /** The direction of the last step, [k, columns]. */
  direction: Float32Array;
  /** rᵀ M r before the last step, one number; infinite before the first one. */
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
    values: x,
    timesTransposed: (w, out) => product(w, out, true),
    times: (r, out) => product(r, out, false),
    async timesSquares(r, out) {
      const session = await sessions.get('squares', (apart) => squaresGraph(x, k, apart));
      await runInto(session, { r: tensor(r, rows) }, { out: tensor(out, columns) });
    },
    async conjugateStep({ C, q }, preconditioned, from, into) {
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
        { ...given, preconditioned: tensor(preconditioned, columns), ...tensors(from) },
        { ...Object.fromEntries(next), squares: new ort.Tensor('float32', squares, []) },
      );
      return squares[0];
    },
    dispose: () => sessions.dispose(),
  };
}

const constantOf = (graph: OnnxGraph, { data, rows, columns }: Matrix, dtype: 'float32' | 'float64') => {
  const of = dtype === 'float64' ? Float64Array : Float32Array;
  return graph.constant(dtype, [rows, columns], data instanceof of ? data : new of(data));
};

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

function squaresGraph(x: Matrix, k: number, apart: ConstantApart[]): Uint8Array {
  const graph = new OnnxGraph();
  const squares = new Float32Array(x.data.length);
  for (let i = 0; i < squares.length; i++) squares[i] = x.data[i] ** 2;
  graph.named('out', 'Gemm', ['r', constantOf(graph, { ...x, data: squares }, 'float32')]);
  return graph.toBytes(
    [{ name: 'r', shape: [k, x.rows], dtype: 'float32' }],
    [{ name: 'out', shape: [k, x.columns], dtype: 'float32' }],
    { intoGiven: true, apart },
  );
}

function conjugateGraph(x: Matrix, k: number, hasFreeColumn: boolean, apart: ConstantApart[]): Uint8Array {
  const graph = new OnnxGraph();
  const constant = constantOf(graph, x, 'float32');
  const op = (type: string, ...inputs: string[]) => graph.op(type, inputs);
  const sum = (type: string, value: string, as: string) => graph.named(as, type, [value], { keepdims: 0 });

  sum('ReduceSum', op('Mul', 'residual', 'preconditioned'), 'energy:next');
  const kept = op('Mul', 'direction', op('Div', 'energy:next', 'energy'));
  graph.named('direction:next', 'Add', ['preconditioned', kept]);
  const scores = graph.op('Gemm', ['direction:next', constant], { transB: 1 });
  const mean = graph.op('ReduceSum', [op('Mul', 'q', scores), graph.ints([0])], { keepdims: 1 });
  const curved = op('Gemm', op('Mul', 'q', op('Sub', scores, mean)), constant);
  const decay = Float32Array.from({ length: x.columns }, (_, j) => Number(j < x.columns - 1));
  const decayed = hasFreeColumn
    ? op('Mul', 'direction:next', graph.constant('float32', [1, x.columns], decay))
    : 'direction:next';
  const image = op('Add', op('Mul', curved, 'C'), decayed);
  sum('ReduceSum', op('Mul', 'direction:next', image), 'curvature');
  const length = op('Div', 'energy:next', 'curvature');

  graph.named('solution:next', 'Add', ['solution', op('Mul', 'direction:next', length)]);
  graph.named('scores:next', 'Add', ['scores', op('Mul', scores, length)]);
  graph.named('residual:next', 'Sub', ['residual', op('Mul', image, length)]);
  sum('ReduceSumSquare', 'residual:next', 'squares');

  const spec = (shape: number[]) => (name: string) => ({ name, shape, dtype: 'float32' as const });
  const [weights, ofRows, number] = [spec([k, x.columns]), spec([k, x.rows]), spec([])];
  const ends = (after: string) => [
    ...['solution', 'residual', 'direction'].map((name) => weights(name + after)),
    ofRows(`scores${after}`),
    number(`energy${after}`),
  ];
  return graph.toBytes(
    [number('C'), ofRows('q'), weights('preconditioned'), ...ends('')],
    [...ends(':next'), number('squares')],
    { intoGiven: true, apart },
  );
}
