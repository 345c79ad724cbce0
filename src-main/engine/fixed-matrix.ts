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
  /**
   * Leaves C (Q − Y) X + W in `out` [k, columns], in the free column without W, and returns the sum of its squares: the gradient of
   * C times the cross-entropy of distributions Q [k, rows] for targets Y [k, rows], with a weight decay of 1, at weights W [k, columns].
   */
  gradient(loss: { C: number; q: Reals; targets: Reals }, w: Reals, out: Reals): Promise<number>;
  /** out [k, columns] = R (X ∘ X) for R [k, rows]. Single precision. */
  timesSquares(r: Float32Array, out: Float32Array): Promise<void>;
  /** One step of conjugate gradients, from where they stand into other memory; returns ‖r‖² after it. Single precision. */
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
  /** The diagonal of a preconditioner M [k, columns]. */
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
  /** M r [k, columns]: after a step that of the system's diagonal, in whose place another may be put. */
  preconditioned: Float32Array;
  /** The direction of the last step, [k, columns]. */
  direction: Float32Array;
  /** rᵀ M r before the last step, one number; infinite before the first one. */
  energy: Float32Array;
}

/** Opens the products of `x` with matrices of `k` rows, run by ONNX Runtime on the CPU with X packed once. */
export function openFixedMatrix(x: Matrix, k: number, hasFreeColumn = false): FixedMatrix {
  const { rows, columns } = x;
  const sessions = openSessionSet();
  const problem: Problem = { x: inPrecisions(x), k, hasFreeColumn };
  let squares: Float32Array | undefined;
  const tensor = (data: Float32Array, width: number) => new ort.Tensor('float32', data, [k, width]);
  return {
    rows,
    columns,
    hasFreeColumn,
    values: x,
    async timesTransposed(w, out) {
      const dtype = typeOf(w);
      const session = await sessions.get(`product ${dtype}`, (apart) => productGraph(problem, dtype, apart));
      await runInto(
        session,
        { ...fedOf(problem.x, dtype), w: new ort.Tensor(dtype, w, [k, columns]) },
        { out: new ort.Tensor(dtype, out, [k, rows]) },
      );
    },
    async gradient({ C, q, targets }, w, out) {
      const dtype = typeOf(w);
      const session = await sessions.get(`gradient ${dtype}`, (apart) =>
        gradientGraph(problem, dtype, apart),
      );
      const of = constructorOf(dtype);
      const squares = new of(1);
      await runInto(
        session,
        {
          ...fedOf(problem.x, dtype),
          C: new ort.Tensor(dtype, of.of(C), []),
          q: new ort.Tensor(dtype, q, [k, rows]),
          targets: new ort.Tensor(dtype, targets, [k, rows]),
          w: new ort.Tensor(dtype, w, [k, columns]),
        },
        { out: new ort.Tensor(dtype, out, [k, columns]), squares: new ort.Tensor(dtype, squares, []) },
      );
      return squares[0];
    },
    async timesSquares(r, out) {
      const session = await sessions.get('squares', () => squaresGraph(problem));
      squares ??= squaresOf(x.data);
      const given = { r: tensor(r, rows), squares: new ort.Tensor('float32', squares, [rows, columns]) };
      await runInto(session, given, { out: tensor(out, columns) });
    },
    async conjugateStep({ C, q, scale }, from, into) {
      const session = await sessions.get('conjugate', (apart) => conjugateGraph(problem, apart));
      const tensors = ({ scores, energy, ...ofWeights }: ConjugateGradients) => ({
        ...Object.fromEntries(Object.entries(ofWeights).map(([name, data]) => [name, tensor(data, columns)])),
        scores: tensor(scores, rows),
        energy: new ort.Tensor('float32', energy, []),
      });
      const squares = new Float32Array(1);
      const given = {
        C: new ort.Tensor('float32', Float32Array.of(C), []),
        q: tensor(q, rows),
        scale: tensor(scale, columns),
      };
      const next = Object.entries(tensors(into)).map(([name, memory]) => [`${name}:next`, memory]);
      await runInto(
        session,
        { ...given, ...tensors(from) },
        { ...Object.fromEntries(next), squares: new ort.Tensor('float32', squares, []) },
      );
      return squares[0];
    },
    dispose: () => sessions.dispose(),
  };
}

type Precision = 'float32' | 'float64';

const typeOf = (values: Reals): Precision => (values instanceof Float64Array ? 'float64' : 'float32');
const constructorOf = (dtype: Precision) => (dtype === 'float64' ? Float64Array : Float32Array);

/** X [rows, columns], in the precision that a graph takes it in. */
interface InPrecisions {
  rows: number;
  columns: number;
  in(dtype: Precision): Reals;
}

interface Problem {
  x: InPrecisions;
  k: number;
  hasFreeColumn: boolean;
}

/** Each precision made once: several graphs take it. */
function inPrecisions({ data, rows, columns }: Matrix): InPrecisions {
  const made = new Map<Precision, Reals>([[typeOf(data), data]]);
  return {
    rows,
    columns,
    in(dtype) {
      const values = made.get(dtype) ?? new (constructorOf(dtype))(data);
      made.set(dtype, values);
      return values;
    },
  };
}

/**
 * X as an operand. In single precision a constant, which the runtime packs once; doubles are not packed, and fed from where they are
 * rather than copied.
 */
const operandOf = (graph: OnnxGraph, { rows, columns, ...x }: InPrecisions, dtype: Precision): string =>
  dtype === 'float64' ? 'x' : graph.constant(dtype, [rows, columns], x.in(dtype));

/** What a graph over X in that precision takes besides. */
const fedSpecs = ({ rows, columns }: InPrecisions, dtype: Precision) =>
  dtype === 'float64' ? [{ name: 'x', shape: [rows, columns], dtype }] : [];

const fedOf = ({ rows, columns, ...x }: InPrecisions, dtype: Precision) =>
  dtype === 'float64' ? { x: new ort.Tensor(dtype, x.in(dtype), [rows, columns]) } : undefined;

function squaresOf(values: Reals): Float32Array {
  const squares = new Float32Array(values.length);
  for (let i = 0; i < squares.length; i++) squares[i] = values[i] ** 2;
  return squares;
}

/** `weights` without those of the free column. */
function decaying(
  graph: OnnxGraph,
  { x: { columns }, hasFreeColumn }: Problem,
  weights: string,
  dtype: Precision,
) {
  if (!hasFreeColumn) return weights;
  const decay = new (constructorOf(dtype))(columns).fill(1, 0, columns - 1);
  return graph.op('Mul', [weights, graph.constant(dtype, [1, columns], decay)]);
}

function productGraph({ x, k }: Problem, dtype: Precision, apart: ConstantApart[]): Uint8Array {
  const graph = new OnnxGraph();
  graph.named('out', 'Gemm', ['w', operandOf(graph, x, dtype)], { transB: 1 });
  return graph.toBytes(
    [...fedSpecs(x, dtype), { name: 'w', shape: [k, x.columns], dtype }],
    [{ name: 'out', shape: [k, x.rows], dtype }],
    { intoGiven: true, apart },
  );
}

function gradientGraph(problem: Problem, dtype: Precision, apart: ConstantApart[]): Uint8Array {
  const { x, k } = problem;
  const graph = new OnnxGraph();
  const slopes = graph.op('Gemm', [graph.op('Sub', ['q', 'targets']), operandOf(graph, x, dtype)]);
  graph.named('out', 'Add', [graph.op('Mul', [slopes, 'C']), decaying(graph, problem, 'w', dtype)]);
  graph.named('squares', 'ReduceSumSquare', ['out'], { keepdims: 0 });
  const spec = (name: string, ...shape: number[]) => ({ name, shape, dtype });
  return graph.toBytes(
    [
      ...fedSpecs(x, dtype),
      spec('C'),
      ...['q', 'targets'].map((name) => spec(name, k, x.rows)),
      spec('w', k, x.columns),
    ],
    [spec('out', k, x.columns), spec('squares')],
    { intoGiven: true, apart },
  );
}

function squaresGraph({ x, k }: Problem): Uint8Array {
  const graph = new OnnxGraph();
  graph.named('out', 'Gemm', ['r', 'squares']);
  const spec = (name: string, ...shape: number[]) => ({ name, shape, dtype: 'float32' }) as const;
  return graph.toBytes(
    [spec('r', k, x.rows), spec('squares', x.rows, x.columns)],
    [spec('out', k, x.columns)],
    { intoGiven: true },
  );
}

function conjugateGraph(problem: Problem, apart: ConstantApart[]): Uint8Array {
  const { x, k } = problem;
  const graph = new OnnxGraph();
  const constant = operandOf(graph, x, 'float32');
  const op = (type: string, ...inputs: string[]) => graph.op(type, inputs);
  const sum = (type: string, value: string, as: string) => graph.named(as, type, [value], { keepdims: 0 });

  sum('ReduceSum', op('Mul', 'residual', 'preconditioned'), 'energy:next');
  const kept = op('Mul', 'direction', op('Div', 'energy:next', 'energy'));
  graph.named('direction:next', 'Add', ['preconditioned', kept]);
  const scores = graph.op('Gemm', ['direction:next', constant], { transB: 1 });
  const mean = graph.op('ReduceSum', [op('Mul', 'q', scores), graph.ints([0])], { keepdims: 1 });
  const curved = op('Gemm', op('Mul', 'q', op('Sub', scores, mean)), constant);
  const decayed = decaying(graph, problem, 'direction:next', 'float32');
  const image = op('Add', op('Mul', curved, 'C'), decayed);
  sum('ReduceSum', op('Mul', 'direction:next', image), 'curvature');
  const length = op('Div', 'energy:next', 'curvature');

  graph.named('solution:next', 'Add', ['solution', op('Mul', 'direction:next', length)]);
  graph.named('scores:next', 'Add', ['scores', op('Mul', scores, length)]);
  graph.named('residual:next', 'Sub', ['residual', op('Mul', image, length)]);
  sum('ReduceSumSquare', 'residual:next', 'squares');
  graph.named('preconditioned:next', 'Mul', ['scale', 'residual:next']);

  const spec = (shape: number[]) => (name: string) => ({ name, shape, dtype: 'float32' as const });
  const [weights, ofRows, number] = [spec([k, x.columns]), spec([k, x.rows]), spec([])];
  const ends = (after: string) => [
    ...['solution', 'residual', 'preconditioned', 'direction'].map((name) => weights(name + after)),
    ofRows(`scores${after}`),
    number(`energy${after}`),
  ];
  return graph.toBytes(
    [number('C'), ofRows('q'), weights('scale'), ...ends('')],
    [...ends(':next'), number('squares')],
    { intoGiven: true, apart },
  );
}
