import type { Matrix } from '../../src-shared/matrix.ts';
import { type ConstantApart, OnnxGraph, onnxTypes } from './lower/onnx-graph.ts';
import { arrayOf, type Precision, precisionOf, type Reals } from './reals.ts';
import { ort, runInto } from './run/session.ts';
import { openSessionSet } from './run/session-set.ts';
import { total } from './vectors.ts';

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
  /** The same the other way round: out [rows, k] = X Wᵀ. */
  transposedTimes(w: Reals, out: Reals): Promise<void>;
  /**
   * Leaves C (Q − Y) X + W in `out` [k, columns], in the free column without W, and returns the sum of its squares: the gradient of
   * C times the cross-entropy of distributions Q [k, rows] for targets Y [k, rows], with a weight decay of 1, at weights W [k, columns].
   */
  gradient(loss: { C: number; q: Reals; targets: Reals }, w: Reals, out: Reals): Promise<number>;
  /** Leaves W + length · D in `out` and returns the sum of the squares of what decays in it, all [k, columns], D in single precision. */
  move(w: Reals, length: number, d: Float32Array, out: Reals): Promise<number>;
  /**
   * out [k, columns] = (Q ∘ (1 − Q)) (X ∘ X) for distributions Q [k, rows]: a system's diagonal is 1 + C · out. Single precision.
   */
  curvature(q: Float32Array, out: Float32Array): Promise<void>;
  /**
   * For conjugate gradients on H d = −g that begin at zero: leaves −g [k, columns], a preconditioner M for H, and M (−g).
   *
   * Without a free column M has a block for every column of X, the inverse of what H is there, nearly: 1 + diag c − c cᵀ / Σc has
   * its diagonal but for c² / Σc, c = C · curvature, and like H it knows that a softmax does not change along the sum of all
   * classes: 1 is an eigenvalue of both. Its inverse is diag(1/d) + w wᵀ / Σw with d = 1 + c, w = c / d (Sherman and Morrison 1950). A
   * free column comes with features, which are large in most samples, so that one column's block says little of H: there M has √d in
   * place of d, by trial. On features of a network, 2,400 × 1,281 → 100, d takes 1.8 to 3.3 times as many steps.
   */
  begin(
    system: { C: number; curvature: Float32Array } & Preconditioner,
    g: Reals,
    start: Pick<ConjugateGradients, 'residual' | 'preconditioned'>,
  ): Promise<void>;
  /**
   * One step of conjugate gradients, from where they stand into other memory. Returns `squares`, ‖r‖² after it, and by how much it
   * lowered ‖d − H⁻¹ b‖² in the norm of H. Single precision.
   */
  conjugateStep(
    system: CurvatureSystem,
    from: ConjugateGradients,
    into: ConjugateGradients,
  ): Promise<{ squares: number; lowered: number }>;
  dispose(): Promise<void>;
}

/**
 * The matrix H with H p = C S X + p for p [k, columns], where column i of S [k, rows] is (diag q_i − q_i q_iᵀ) of column i of
 * p Xᵀ: the curvature of a softmax that gives the distributions q_i, with a weight decay of 1. In the free column the addend p
 * is left out.
 */
export interface CurvatureSystem extends Preconditioner {
  C: number;
  /** [k, rows], its columns distributions. */
  q: Float32Array;
}

/** M r = scale ∘ r + share ∘ (the sums over k of share ∘ r), all [k, columns]. */
export interface Preconditioner {
  scale: Float32Array;
  share: Float32Array;
}

/** Where conjugate gradients for H d = b stand (Nocedal and Wright 2006, algorithm 5.3). */
export interface ConjugateGradients {
  /** d [k, columns] */
  solution: Float32Array;
  /** d Xᵀ [k, rows] */
  scores: Float32Array;
  /** r = b − H d [k, columns] */
  residual: Float32Array;
  /** M r [k, columns] */
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
  const single = once(async () => (x.data instanceof Float32Array ? x.data : await rounded(x.data)));
  const double = once(async () => (x.data instanceof Float64Array ? x.data : new Float64Array(x.data)));
  const rounded = async (exact: Float64Array): Promise<Float32Array> => {
    const session = await sessions.get('rounded', () => roundedGraph(sizes));
    const out = new Float32Array(exact.length);
    const of = (dtype: Precision, data: Reals) => new ort.Tensor(dtype, data, [rows, columns]);
    await runInto(session, { x: of('float64', exact) }, { out: of('float32', out) });
    return out;
  };
  const ofType = (dtype: Precision) => {
    const tensor = (data: Reals, ...shape: number[]) => new ort.Tensor(dtype, data, shape);
    return {
      tensor,
      ofX: async () => tensor(await (dtype === 'float64' ? double() : single()), rows, columns),
      number: (value: number) => tensor(arrayOf(dtype).of(value)),
      ofWeights: (data: Reals) => tensor(data, k, columns),
      ofRows: (data: Reals) => tensor(data, k, rows),
    };
  };
  return {
    rows,
    columns,
    hasFreeColumn,
    async timesTransposed(w, out) {
      const dtype = precisionOf(w);
      const session = await sessions.get(`product ${dtype}`, () => productGraph(sizes, dtype, false));
      const { ofX, ofWeights, ofRows } = ofType(dtype);
      await runInto(session, { x: await ofX(), w: ofWeights(w) }, { out: ofRows(out) });
    },
    async transposedTimes(w, out) {
      const dtype = precisionOf(w);
      const session = await sessions.get(`turned ${dtype}`, () => productGraph(sizes, dtype, true));
      const { ofX, tensor, ofWeights } = ofType(dtype);
      await runInto(session, { x: await ofX(), w: ofWeights(w) }, { out: tensor(out, rows, k) });
    },
    async gradient({ C, q, targets }, w, out) {
      const dtype = precisionOf(w);
      const session = await sessions.get(`gradient ${dtype}`, () => gradientGraph(sizes, dtype));
      const { ofX, number, ofWeights, ofRows } = ofType(dtype);
      const loss = { C: number(C), q: ofRows(q), targets: ofRows(targets) };
      const given = { x: await ofX(), w: ofWeights(w), ...loss };
      const sum = number(0);
      await runInto(session, given, { out: ofWeights(out), squares: sum });
      return Number(sum.data[0]);
    },
    async move(w, length, d, out) {
      const dtype = precisionOf(w);
      const session = await sessions.get(`move ${dtype}`, () => moveGraph(sizes, dtype));
      const { number, tensor, ofWeights } = ofType(dtype);
      const given = { w: ofWeights(w), length: number(length), d: ofType('float32').ofWeights(d) };
      const squares = new (arrayOf(dtype))(k);
      await runInto(session, given, { out: ofWeights(out), squares: tensor(squares, k) });
      return total(squares);
    },
    async curvature(q, out) {
      const session = await sessions.get('curvature', () => curvatureGraph(sizes));
      const { ofX, ofWeights, ofRows } = ofType('float32');
      await runInto(session, { x: await ofX(), q: ofRows(q) }, { out: ofWeights(out) });
    },
    async begin({ C, curvature, scale, share }, g, start) {
      const dtype = precisionOf(g);
      const session = await sessions.get(`begin ${dtype}`, () => beginGraph(sizes, dtype));
      const { number, ofWeights } = ofType('float32');
      const given = { C: number(C), curvature: ofWeights(curvature), g: ofType(dtype).ofWeights(g) };
      await runInto(session, given, {
        scale: ofWeights(scale),
        share: ofWeights(share),
        residual: ofWeights(start.residual),
        preconditioned: ofWeights(start.preconditioned),
      });
    },
    async conjugateStep({ C, q, scale, share }, from, into) {
      const values = await single();
      const session = await sessions.get('conjugate', (apart) => conjugateGraph(values, sizes, apart));
      const { number, ofWeights, ofRows } = ofType('float32');
      const tensors = ({ scores, energy, ...others }: ConjugateGradients) => ({
        ...Object.fromEntries(Object.entries(others).map(([name, data]) => [name, ofWeights(data)])),
        scores: ofRows(scores),
        energy: new ort.Tensor('float32', energy, []),
      });
      const next = Object.entries(tensors(into)).map(([name, memory]) => [`${name}:next`, memory]);
      const system = { C: number(C), q: ofRows(q), scale: ofWeights(scale), share: ofWeights(share) };
      const [squares, lowered] = [number(0), number(0)];
      const results = { ...Object.fromEntries(next), squares, lowered };
      await runInto(session, { ...system, ...tensors(from) }, results);
      return { squares: Number(squares.data[0]), lowered: Number(lowered.data[0]) };
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

/** Of H: where all samples are certain, a free column has none. */
const smallestDiagonal = 1e-6;

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
  return {
    ofX: spec(rows, columns),
    ofWeights: spec(k, columns),
    ofRows: spec(k, rows),
    ofTurned: spec(rows, k),
    number: spec(),
  };
};

/** `weights` without those of the free column. */
function decaying(graph: OnnxGraph, sizes: Sizes, weights: string, dtype: Precision): string {
  return sizes.hasFreeColumn ? graph.op('Mul', [weights, decays(graph, sizes, dtype)]) : weights;
}

/** [1, columns]: ones, and nothing for the free column. */
function decays(graph: OnnxGraph, { columns, hasFreeColumn }: Sizes, dtype: Precision): string {
  const ones = new (arrayOf(dtype))(columns).fill(1, 0, hasFreeColumn ? columns - 1 : columns);
  return graph.constant(dtype, [1, columns], ones);
}

function roundedGraph(sizes: Sizes): Uint8Array {
  const graph = new OnnxGraph();
  graph.named('out', 'Cast', ['x'], { to: onnxTypes.float32 });
  return graph.toBytes([specsOf(sizes, 'float64').ofX('x')], [specsOf(sizes, 'float32').ofX('out')], {
    intoGiven: true,
  });
}

/** W Xᵀ, or turned X Wᵀ. */
function productGraph(sizes: Sizes, dtype: Precision, isTurned: boolean): Uint8Array {
  const graph = new OnnxGraph();
  const { ofX, ofWeights, ofRows, ofTurned } = specsOf(sizes, dtype);
  graph.named('out', 'Gemm', isTurned ? ['x', 'w'] : ['w', 'x'], { transB: 1 });
  const out = isTurned ? ofTurned('out') : ofRows('out');
  return graph.toBytes([ofX('x'), ofWeights('w')], [out], { intoGiven: true });
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

function moveGraph(sizes: Sizes, dtype: Precision): Uint8Array {
  const graph = new OnnxGraph();
  const { ofWeights, number } = specsOf(sizes, dtype);
  const along = dtype === 'float64' ? graph.op('Cast', ['d'], { to: onnxTypes.float64 }) : 'd';
  graph.named('out', 'Add', ['w', graph.op('Mul', [along, 'length'])]);
  // Row by row: one sum of them all would keep four digits in single precision.
  const kept = decaying(graph, sizes, 'out', dtype);
  graph.named('squares', 'ReduceSumSquare', [kept, graph.ints([1])], { keepdims: 0 });
  return graph.toBytes(
    [ofWeights('w'), number('length'), specsOf(sizes, 'float32').ofWeights('d')],
    [ofWeights('out'), { name: 'squares', shape: [sizes.k], dtype }],
    { intoGiven: true },
  );
}

function beginGraph(sizes: Sizes, dtype: Precision): Uint8Array {
  const graph = new OnnxGraph();
  const { ofWeights, number } = specsOf(sizes, 'float32');
  const op = (type: string, ...inputs: string[]) => graph.op(type, inputs);
  const decay = decays(graph, sizes, 'float32');
  const least = graph.constant('float32', [], Float32Array.of(smallestDiagonal));
  const curved = op('Mul', 'curvature', 'C');
  const diagonal = op('Max', op('Add', curved, decay), least);
  graph.named('scale', 'Reciprocal', [sizes.hasFreeColumn ? op('Sqrt', diagonal) : diagonal]);
  const share = op('Mul', op('Mul', curved, 'scale'), decay);
  const total = graph.op('ReduceSum', [share, graph.ints([0])], { keepdims: 1 });
  graph.named('share', 'Div', [share, op('Sqrt', op('Max', total, least))]);
  graph.named('residual', 'Neg', [
    dtype === 'float64' ? graph.op('Cast', ['g'], { to: onnxTypes.float32 }) : 'g',
  ]);
  precondition(graph, 'residual', 'preconditioned');
  return graph.toBytes(
    [number('C'), ofWeights('curvature'), specsOf(sizes, dtype).ofWeights('g')],
    ['scale', 'share', 'residual', 'preconditioned'].map(ofWeights),
    { intoGiven: true },
  );
}

/** M r for the preconditioner of `scale` and `share`. */
function precondition(graph: OnnxGraph, r: string, as: string): void {
  const shared = graph.op('ReduceSum', [graph.op('Mul', ['share', r]), graph.ints([0])], { keepdims: 1 });
  graph.named(as, 'Add', [graph.op('Mul', ['scale', r]), graph.op('Mul', ['share', shared])]);
}

function curvatureGraph(sizes: Sizes): Uint8Array {
  const graph = new OnnxGraph();
  const { ofX, ofWeights, ofRows } = specsOf(sizes, 'float32');
  const variances = graph.op('Sub', ['q', graph.op('Mul', ['q', 'q'])]);
  graph.named('out', 'Gemm', [variances, graph.op('Mul', ['x', 'x'])]);
  return graph.toBytes([ofX('x'), ofRows('q')], [ofWeights('out')], { intoGiven: true });
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
  graph.named('lowered', 'Mul', ['energy:next', length]);

  graph.named('solution:next', 'Add', ['solution', op('Mul', 'direction:next', length)]);
  graph.named('scores:next', 'Add', ['scores', op('Mul', scores, length)]);
  graph.named('residual:next', 'Sub', ['residual', op('Mul', image, length)]);
  sum('ReduceSumSquare', 'residual:next', 'squares');
  precondition(graph, 'residual:next', 'preconditioned:next');

  const { ofWeights, ofRows, number } = specsOf(sizes, 'float32');
  const ends = (after: string) => [
    ...['solution', 'residual', 'preconditioned', 'direction'].map((name) => ofWeights(name + after)),
    ofRows(`scores${after}`),
    number(`energy${after}`),
  ];
  return graph.toBytes(
    [number('C'), ofRows('q'), ofWeights('scale'), ofWeights('share'), ...ends('')],
    [...ends(':next'), number('squares'), number('lowered')],
    { intoGiven: true, apart },
  );
}
