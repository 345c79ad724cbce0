import type { Matrix } from '../../src-shared/matrix.ts';
import { type ConstantApart, OnnxGraph } from './lower/onnx-graph.ts';
import { arrayOf, type Precision, precisionOf, type Reals } from './reals.ts';
import { ort, runInto } from './run/session.ts';
import { openSessionSet } from './run/session-set.ts';

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

/**
 * Opens the products of `x` with matrices of `k` rows, run by ONNX Runtime on the CPU. The steps of conjugate gradients, which are
 * most of what it is asked, have X packed once; the others are fed it as it is, which takes no memory and no time before.
 */
export function openFixedMatrix(x: Matrix, k: number, hasFreeColumn = false): FixedMatrix {
  const { rows, columns } = x;
  const sizes: Sizes = { rows, columns, k, hasFreeColumn };
  const sessions = openSessionSet();
  const single = once(() => (x.data instanceof Float32Array ? x.data : new Float32Array(x.data)));
  const double = once(() => (x.data instanceof Float64Array ? x.data : new Float64Array(x.data)));
  const ofType = (dtype: Precision) => {
    const tensor = (data: Reals, ...shape: number[]) => new ort.Tensor(dtype, data, shape);
    return {
      x: tensor(dtype === 'float64' ? double() : single(), rows, columns),
      number: (value: number) => tensor(arrayOf(dtype).of(value)),
      ofWeights: (data: Reals) => tensor(data, k, columns),
      ofRows: (data: Reals) => tensor(data, k, rows),
    };
  };
  return {
    rows,
    columns,
    hasFreeColumn,
    values: x,
    async timesTransposed(w, out) {
      const dtype = precisionOf(w);
      const session = await sessions.get(`product ${dtype}`, () => productGraph(sizes, dtype));
      const { x, ofWeights, ofRows } = ofType(dtype);
      await runInto(session, { x, w: ofWeights(w) }, { out: ofRows(out) });
    },
    async gradient({ C, q, targets }, w, out) {
      const dtype = precisionOf(w);
      const session = await sessions.get(`gradient ${dtype}`, () => gradientGraph(sizes, dtype));
      const { x, number, ofWeights, ofRows } = ofType(dtype);
      const given = { x, C: number(C), q: ofRows(q), targets: ofRows(targets), w: ofWeights(w) };
      const sum = number(0);
      await runInto(session, given, { out: ofWeights(out), squares: sum });
      return Number(sum.data[0]);
    },
    async timesSquares(r, out) {
      const session = await sessions.get('squares', () => squaresGraph(sizes));
      const { x, ofWeights, ofRows } = ofType('float32');
      await runInto(session, { x, r: ofRows(r) }, { out: ofWeights(out) });
    },
    async conjugateStep({ C, q, scale }, from, into) {
      const session = await sessions.get('conjugate', (apart) => conjugateGraph(single(), sizes, apart));
      const { number, ofWeights, ofRows } = ofType('float32');
      const tensors = ({ scores, energy, ...others }: ConjugateGradients) => ({
        ...Object.fromEntries(Object.entries(others).map(([name, data]) => [name, ofWeights(data)])),
        scores: ofRows(scores),
        energy: new ort.Tensor('float32', energy, []),
      });
      const next = Object.entries(tensors(into)).map(([name, memory]) => [`${name}:next`, memory]);
      const given = { C: number(C), q: ofRows(q), scale: ofWeights(scale), ...tensors(from) };
      const sum = number(0);
      await runInto(session, given, { ...Object.fromEntries(next), squares: sum });
      return Number(sum.data[0]);
    },
    dispose: () => sessions.dispose(),
  };
}

/** X is [rows, columns]. */
interface Sizes {
  rows: number;
  columns: number;
  k: number;
  hasFreeColumn: boolean;
}

/** Makes a value when it is first needed. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** What graphs over such sizes take and give. */
const specsOf = ({ rows, columns, k }: Sizes, dtype: Precision) => {
  const spec =
    (...shape: number[]) =>
    (name: string) => ({ name, shape, dtype });
  return { ofX: spec(rows, columns), ofWeights: spec(k, columns), ofRows: spec(k, rows), number: spec() };
};

/** `weights` without those of the free column. */
function decaying(
  graph: OnnxGraph,
  { columns, hasFreeColumn }: Sizes,
  weights: string,
  dtype: Precision,
): string {
  if (!hasFreeColumn) return weights;
  const decay = new (arrayOf(dtype))(columns).fill(1, 0, columns - 1);
  return graph.op('Mul', [weights, graph.constant(dtype, [1, columns], decay)]);
}

function productGraph(sizes: Sizes, dtype: Precision): Uint8Array {
  const graph = new OnnxGraph();
  const { ofX, ofWeights, ofRows } = specsOf(sizes, dtype);
  graph.named('out', 'Gemm', ['w', 'x'], { transB: 1 });
  return graph.toBytes([ofX('x'), ofWeights('w')], [ofRows('out')], { intoGiven: true });
}

function gradientGraph(sizes: Sizes, dtype: Precision): Uint8Array {
  const graph = new OnnxGraph();
  const { ofX, ofWeights, ofRows, number } = specsOf(sizes, dtype);
  const slopes = graph.op('Mul', [graph.op('Gemm', [graph.op('Sub', ['q', 'targets']), 'x']), 'C']);
  graph.named('out', 'Add', [slopes, decaying(graph, sizes, 'w', dtype)]);
  graph.named('squares', 'ReduceSumSquare', ['out'], { keepdims: 0 });
  return graph.toBytes(
    [ofX('x'), number('C'), ofRows('q'), ofRows('targets'), ofWeights('w')],
    [ofWeights('out'), number('squares')],
    { intoGiven: true },
  );
}

function squaresGraph(sizes: Sizes): Uint8Array {
  const graph = new OnnxGraph();
  const { ofX, ofWeights, ofRows } = specsOf(sizes, 'float32');
  graph.named('out', 'Gemm', ['r', graph.op('Mul', ['x', 'x'])]);
  return graph.toBytes([ofX('x'), ofRows('r')], [ofWeights('out')], { intoGiven: true });
}

function conjugateGraph(x: Float32Array, sizes: Sizes, apart: ConstantApart[]): Uint8Array {
  const graph = new OnnxGraph();
  const constant = graph.constant('float32', [sizes.rows, sizes.columns], x);
  const op = (type: string, ...inputs: string[]) => graph.op(type, inputs);
  const sum = (type: string, value: string, as: string) => graph.named(as, type, [value], { keepdims: 0 });

  sum('ReduceSum', op('Mul', 'residual', 'preconditioned'), 'energy:next');
  const kept = op('Mul', 'direction', op('Div', 'energy:next', 'energy'));
  graph.named('direction:next', 'Add', ['preconditioned', kept]);
  const scores = graph.op('Gemm', ['direction:next', constant], { transB: 1 });
  const mean = graph.op('ReduceSum', [op('Mul', 'q', scores), graph.ints([0])], { keepdims: 1 });
  const curved = op('Gemm', op('Mul', 'q', op('Sub', scores, mean)), constant);
  const decayed = decaying(graph, sizes, 'direction:next', 'float32');
  const image = op('Add', op('Mul', curved, 'C'), decayed);
  sum('ReduceSum', op('Mul', 'direction:next', image), 'curvature');
  const length = op('Div', 'energy:next', 'curvature');

  graph.named('solution:next', 'Add', ['solution', op('Mul', 'direction:next', length)]);
  graph.named('scores:next', 'Add', ['scores', op('Mul', scores, length)]);
  graph.named('residual:next', 'Sub', ['residual', op('Mul', image, length)]);
  sum('ReduceSumSquare', 'residual:next', 'squares');
  graph.named('preconditioned:next', 'Mul', ['scale', 'residual:next']);

  const { ofWeights, ofRows, number } = specsOf(sizes, 'float32');
  const ends = (after: string) => [
    ...['solution', 'residual', 'preconditioned', 'direction'].map((name) => ofWeights(name + after)),
    ofRows(`scores${after}`),
    number(`energy${after}`),
  ];
  return graph.toBytes(
    [number('C'), ofRows('q'), ofWeights('scale'), ...ends('')],
    [...ends(':next'), number('squares')],
    { intoGiven: true, apart },
  );
}
