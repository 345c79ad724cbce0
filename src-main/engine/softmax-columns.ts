import { OnnxGraph } from './lower/onnx-graph.ts';
import { arrayOf, type Precision, precisionOf, type Reals } from './reals.ts';
import { ort, runInto } from './run/session.ts';
import { openSessionSet } from './run/session-set.ts';
import { dot, total } from './vectors.ts';

/** Sums over the columns of what `moments` finds in each: see there. */
export interface Moments {
  /** Σ_i log Σ_k exp s_ki */
  logSum: number;
  /** Means of every S_b, summed. */
  means: number[];
  /** Covariances of S_b and S_c, summed. */
  covariances: number[][];
}

/**
 * The softmax of scores [k, rows], row-major: every column is a distribution over `k` classes. The precision is that of
 * the arguments, which agree.
 */
export interface SoftmaxColumns {
  /** Leaves softmax(scores) in `probabilities` and returns Σ_i log Σ_k exp scores_ki. */
  softmax(scores: Reals, probabilities: Reals): Promise<number>;
  /**
   * The same of the scores s + length · t for a direction t, left in `into` [k, rows] with their softmax.
   */
  along(
    scores: Reals,
    length: number,
    direction: Reals,
    into: { scores: Reals; probabilities: Reals },
  ): Promise<number>;
  /**
   * Mean and covariances over k of the scores S_b under the distributions softmax(s), s = Σ_b a_b S_b: the first and second
   * derivatives by a of the logarithms of their sums. All S_b are one array [k, count, rows] and near zero where a distribution
   * is large: what they are there would cancel out. Leaves s and softmax(s) [k, rows] in `into`. Single precision, but for
   * the sums over columns.
   */
  moments(
    coefficients: number[],
    scores: Float32Array,
    into: { scores: Float32Array; probabilities: Float32Array },
  ): Promise<Moments>;
  dispose(): Promise<void>;
}

/** Opens the softmax over `k` classes of scores [k, rows], run by ONNX Runtime on the CPU. */
export function openSoftmaxColumns(k: number, rows: number): SoftmaxColumns {
  const sessions = openSessionSet();
  const inPrecisionOf = (scores: Reals) => {
    const dtype = precisionOf(scores);
    const tensor = (data: Reals, ...shape: number[]) => new ort.Tensor(dtype, data, shape);
    return { dtype, of: arrayOf(dtype), tensor };
  };
  return {
    async softmax(scores, probabilities) {
      const { dtype, of, tensor } = inPrecisionOf(scores);
      const session = await sessions.get(dtype, () => softmaxGraph(k, rows, dtype));
      const [largest, sums] = [new of(rows), new of(rows)];
      await runInto(
        session,
        { scores: tensor(scores, k, rows) },
        {
          q: tensor(probabilities, k, rows),
          largest: tensor(largest, 1, rows),
          sums: tensor(sums, 1, rows),
        },
      );
      return logSumOf(largest, sums);
    },
    async along(scores, length, direction, into) {
      const { dtype, of, tensor } = inPrecisionOf(scores);
      const session = await sessions.get(`along ${dtype}`, () => alongGraph(k, rows, dtype));
      const [largest, sums] = [new of(rows), new of(rows)];
      await runInto(
        session,
        {
          from: tensor(scores, k, rows),
          length: tensor(of.of(length)),
          direction: tensor(direction, k, rows),
        },
        {
          scores: tensor(into.scores, k, rows),
          q: tensor(into.probabilities, k, rows),
          largest: tensor(largest, 1, rows),
          sums: tensor(sums, 1, rows),
        },
      );
      return logSumOf(largest, sums);
    },
    async moments(coefficients, scores, into) {
      const count = coefficients.length;
      const session = await sessions.get(`moments ${count}`, () => momentsGraph(k, rows, count));
      const tensor = (data: Float32Array, ...shape: number[]) => new ort.Tensor('float32', data, shape);
      const [largest, sums] = [new Float32Array(rows), new Float32Array(rows)];
      const [means, products] = [new Float32Array(count * rows), new Float32Array(k * count ** 2)];
      await runInto(
        session,
        { a: tensor(Float32Array.from(coefficients), 1, count), scores: tensor(scores, k, count, rows) },
        {
          s: tensor(into.scores, k, 1, rows),
          q: tensor(into.probabilities, k, 1, rows),
          largest: tensor(largest, 1, 1, rows),
          sums: tensor(sums, 1, 1, rows),
          means: tensor(means, count, rows),
          products: tensor(products, k, count, count),
        },
      );
      const meansOf = coefficients.map((_, b) => means.subarray(b * rows, (b + 1) * rows));
      const productOf = (b: number, c: number): number => {
        let sum = 0;
        for (let at = b * count + c; at < products.length; at += count ** 2) sum += products[at];
        return sum;
      };
      return {
        logSum: logSumOf(largest, sums),
        means: meansOf.map(total),
        covariances: meansOf.map((of, b) => meansOf.map((other, c) => productOf(b, c) - dot(of, other))),
      };
    },
    dispose: () => sessions.dispose(),
  };
}

/** Σ_i log Σ_k exp s_ki from the columns' largest scores and the sums of exp(s − largest). */
const logSumOf = (largest: Reals, sums: Reals): number => {
  let sum = 0;
  for (let i = 0; i < sums.length; i++) sum += Math.log(sums[i]) + largest[i];
  return sum;
};

/** Adds q = softmax along an axis, that of the columns unless said, `largest` and `sums` to a graph. */
export function addSoftmax(graph: OnnxGraph, scores: string, axis = 0): void {
  graph.named('largest', 'ReduceMax', [scores, graph.ints([axis])], { keepdims: 1 });
  const exponentials = graph.op('Exp', [graph.op('Sub', [scores, 'largest'])]);
  graph.named('sums', 'ReduceSum', [exponentials, graph.ints([axis])], { keepdims: 1 });
  graph.named('q', 'Div', [exponentials, 'sums']);
}

function softmaxGraph(k: number, rows: number, dtype: Precision): Uint8Array {
  const graph = new OnnxGraph();
  addSoftmax(graph, 'scores');
  return graph.toBytes(
    [{ name: 'scores', shape: [k, rows], dtype }],
    [
      { name: 'q', shape: [k, rows], dtype },
      { name: 'largest', shape: [1, rows], dtype },
      { name: 'sums', shape: [1, rows], dtype },
    ],
    { intoGiven: true },
  );
}

function alongGraph(k: number, rows: number, dtype: Precision): Uint8Array {
  const graph = new OnnxGraph();
  graph.named('scores', 'Add', ['from', graph.op('Mul', ['direction', 'length'])]);
  addSoftmax(graph, 'scores');
  const spec = (name: string, ...shape: number[]) => ({ name, shape, dtype });
  return graph.toBytes(
    [spec('from', k, rows), spec('length'), spec('direction', k, rows)],
    [
      ...['scores', 'q'].map((name) => spec(name, k, rows)),
      ...['largest', 'sums'].map((name) => spec(name, 1, rows)),
    ],
    { intoGiven: true },
  );
}

function momentsGraph(k: number, rows: number, count: number): Uint8Array {
  const graph = new OnnxGraph();
  graph.named('s', 'MatMul', ['a', 'scores']);
  addSoftmax(graph, 's');
  const weighted = graph.op('Mul', ['scores', 'q']);
  graph.named('means', 'ReduceSum', [weighted, graph.ints([0])], { keepdims: 0 });
  graph.named('products', 'FusedMatMul', [weighted, 'scores'], { transB: 1 }, 'com.microsoft');
  const spec = (name: string, ...shape: number[]) => ({ name, shape, dtype: 'float32' }) as const;
  return graph.toBytes(
    [spec('a', 1, count), spec('scores', k, count, rows)],
    [
      ...['s', 'q'].map((name) => spec(name, k, 1, rows)),
      ...['largest', 'sums'].map((name) => spec(name, 1, 1, rows)),
      spec('means', count, rows),
      spec('products', k, count, count),
    ],
    { intoGiven: true },
  );
}
