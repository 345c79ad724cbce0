import type { Reals } from './fixed-matrix.ts';
import { OnnxGraph } from './lower/onnx-graph.ts';
import { ort, runInto } from './run/session.ts';
import { openSessionSet } from './run/session-set.ts';

/** Sums over the columns of what `moments` finds in each: see there. */
export interface Moments {
  /** Σ_i log Σ_k exp s_ki */
  logSum: number;
  /** Means of every S_b, summed. */
  means: number[];
  /** Covariances of S_b and S_c, summed; only those with c ≤ b are there. */
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
   * Mean and covariances over k of the scores S_b [k, rows] under the distributions softmax(s), s = Σ_b a_b S_b: the
   * first and second derivatives by a of the logarithms of their sums. Leaves s and softmax(s) in `into`. Single precision,
   * but for the sums over columns.
   */
  moments(
    coefficients: number[],
    scores: Float32Array[],
    into: { scores: Float32Array; probabilities: Float32Array },
  ): Promise<Moments>;
  dispose(): Promise<void>;
}

/** Opens the softmax over `k` classes of scores [k, rows], run by ONNX Runtime on the CPU. */
export function openSoftmaxColumns(k: number, rows: number): SoftmaxColumns {
  const sessions = openSessionSet();
  return {
    async softmax(scores, probabilities) {
      const double = scores instanceof Float64Array;
      const dtype = double ? 'float64' : 'float32';
      const session = await sessions.get(dtype, () => softmaxGraph(k, rows, dtype));
      const [largest, sums] = double
        ? [new Float64Array(rows), new Float64Array(rows)]
        : [new Float32Array(rows), new Float32Array(rows)];
      await runInto(
        session,
        { scores: new ort.Tensor(dtype, scores, [k, rows]) },
        {
          q: new ort.Tensor(dtype, probabilities, [k, rows]),
          largest: new ort.Tensor(dtype, largest, [1, rows]),
          sums: new ort.Tensor(dtype, sums, [1, rows]),
        },
      );
      return logSumOf(largest, sums);
    },
    async moments(coefficients, scores, into) {
      const count = scores.length;
      const session = await sessions.get(`moments ${count}`, () => momentsGraph(k, rows, count));
      const feeds = Object.fromEntries(
        scores.map((data, b) => [`s${b}`, new ort.Tensor('float32', data, [k, rows])]),
      );
      feeds.a = new ort.Tensor('float32', Float32Array.from(coefficients), [count]);
      const found = Object.fromEntries(sumsOf(count).map((name) => [name, new Float32Array(rows)]));
      const fetched = Object.entries(found).map(([name, data]) => [
        name,
        new ort.Tensor('float32', data, [1, rows]),
      ]);
      await runInto(session, feeds, {
        ...Object.fromEntries(fetched),
        s: new ort.Tensor('float32', into.scores, [k, rows]),
        q: new ort.Tensor('float32', into.probabilities, [k, rows]),
      });
      return {
        logSum: logSumOf(found.largest, found.sums),
        means: scores.map((_, b) => total(found[`mean${b}`])),
        covariances: scores.map((_, b) => scores.slice(0, b + 1).map((_, c) => total(found[`cov${b}_${c}`]))),
      };
    },
    dispose: () => sessions.dispose(),
  };
}

const total = (values: Reals): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
};

/** Σ_i log Σ_k exp s_ki from the columns' largest scores and the sums of exp(s − largest). */
const logSumOf = (largest: Reals, sums: Reals): number => {
  let sum = 0;
  for (let i = 0; i < sums.length; i++) sum += Math.log(sums[i]) + largest[i];
  return sum;
};

/** Adds q = softmax of the columns, `largest` and `sums` to a graph. */
function addSoftmax(graph: OnnxGraph, scores: string): void {
  graph.named('largest', 'ReduceMax', [scores, graph.ints([0])], { keepdims: 1 });
  const exponentials = graph.op('Exp', [graph.op('Sub', [scores, 'largest'])]);
  graph.named('sums', 'ReduceSum', [exponentials, graph.ints([0])], { keepdims: 1 });
  graph.named('q', 'Div', [exponentials, 'sums']);
}

function softmaxGraph(k: number, rows: number, dtype: 'float32' | 'float64'): Uint8Array {
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

/** What `moments` of so many scores finds in every column. */
const sumsOf = (count: number): string[] => [
  'largest',
  'sums',
  ...Array.from({ length: count }, (_, b) => [
    `mean${b}`,
    ...Array.from({ length: b + 1 }, (_, c) => `cov${b}_${c}`),
  ]).flat(),
];

function momentsGraph(k: number, rows: number, count: number): Uint8Array {
  const graph = new OnnxGraph();
  const dtype = 'float32';
  const names = Array.from({ length: count }, (_, b) => `s${b}`);
  const terms = names.map((name, b) => graph.op('Mul', [name, graph.op('Gather', ['a', graph.ints([b])])]));
  const sum = terms.reduce((left, term) => graph.op('Add', [left, term]));
  graph.export(sum, 's');
  addSoftmax(graph, sum);
  const meanOver = (as: string, a: string, b: string) =>
    graph.named(as, 'ReduceSum', [graph.op('Mul', [a, b]), graph.ints([0])], { keepdims: 1 });
  for (const [b, name] of names.entries()) {
    meanOver(`mean${b}`, 'q', name);
    const weighted = graph.op('Mul', ['q', graph.op('Sub', [name, `mean${b}`])]);
    for (let c = 0; c <= b; c++) meanOver(`cov${b}_${c}`, weighted, names[c]);
  }
  const whole = (name: string) => ({ name, shape: [k, rows], dtype }) as const;
  return graph.toBytes(
    [{ name: 'a', shape: [count], dtype }, ...names.map(whole)],
    [...['s', 'q'].map(whole), ...sumsOf(count).map((name) => ({ name, shape: [1, rows], dtype }) as const)],
    { intoGiven: true },
  );
}
