import { expect, test } from 'vitest';
import { benchRelationship } from '../../src-main/bench/relationship.ts';
import { type FixedMatrix, openFixedMatrix } from '../../src-main/engine/fixed-matrix.ts';
import type { Reals } from '../../src-main/engine/reals.ts';
import { openSoftmaxColumns } from '../../src-main/engine/softmax-columns.ts';
import { softmaxRows } from '../../src-main/engine/softmax-rows.ts';
import { LogisticRegression, type Solution } from '../../src-main/transfer/logistic-regression.ts';
import { learnRelationship, type RelationshipInput } from '../../src-main/transfer/relationship.ts';
import { fitReverse } from '../../src-main/transfer/reverse.ts';
import { Span } from '../../src-main/transfer/span-of-solutions.ts';
import { fitTemperature } from '../../src-main/transfer/temperature.ts';
import { indexDraws } from '../reference-draws.ts';

const draw = indexDraws(7);
const random = () => draw(1 << 30) / (1 << 30) - 0.5;

/** `perClass` images of each target class k, whose source logits peak at source class k. */
function images(classes: readonly number[], perClass: number, sources: number) {
  const labels = Int32Array.from(classes.flatMap((k) => new Array(perClass).fill(k)));
  const data = Float64Array.from({ length: labels.length * sources }, (_, i) => {
    const peak = i % sources === labels[Math.floor(i / sources)] ? 2 : 0;
    return peak + 3 * random();
  });
  return { logits: { data, rows: labels.length, columns: sources }, labels };
}

function input(targets: number, train: readonly number[], val: readonly number[]): RelationshipInput {
  const [a, b] = [images(train, 12, 8), images(val, 5, 8)];
  return {
    approach: 'reverse',
    trainLogits: a.logits,
    trainLabels: a.labels,
    valLogits: b.logits,
    valLabels: b.labels,
    targets,
    sourceScale: 1,
  };
}

const rowsOf = (matrix: Float64Array, sources: number) =>
  Array.from({ length: matrix.length / sources }, (_, k) => matrix.subarray(k * sources, (k + 1) * sources));
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
const top = (row: Float64Array) => row.indexOf(Math.max(...row));

test.each(['reverse', 'direct'] as const)(
  '%s: each target finds its source, and rows are distributions',
  async (approach) => {
    const { matrix, grid, notes } = await learnRelationship({ ...input(3, [0, 1, 2], [0, 1, 2]), approach });
    const rows = rowsOf(matrix, 8);
    expect(rows.map(top)).toEqual([0, 1, 2]);
    for (const row of rows) expect(sum(row)).toBeCloseTo(1, 12);
    expect(grid).toHaveLength(approach === 'reverse' ? 17 : 0);
    expect(notes).toEqual([]);
  },
);

test('two target classes have a row each', async () => {
  const { matrix } = await learnRelationship(input(2, [0, 1], [0, 1]));
  const rows = rowsOf(matrix, 8);
  expect(rows.map(top)).toEqual([0, 1]);
  for (const row of rows) expect(sum(row)).toBeCloseTo(1, 12);
});

test('notes name classes by their names where these are known', async () => {
  const classNames = ['ant', 'bee', 'cat', 'dog'];
  const { notes } = await learnRelationship({ ...input(4, [0, 1], [0, 1, 2]), classNames });
  expect(notes).toEqual([
    'The target class "cat" has no training image: its row is the mean source prediction of its validation images.',
    'The target class "dog" has no image: its row is the mean source prediction of all images.',
  ]);
});

test('150,000 labels are no matter of the stack', async () => {
  const many = 150_000;
  const labels = Int32Array.from({ length: many }, (_, i) => i % 2);
  const data = Float32Array.from({ length: 2 * many }, (_, i) => Number(i % 2 === labels[i >> 1]));
  const few = images([0, 1], 1, 2);
  const learned = await learnRelationship({
    approach: 'direct',
    trainLogits: { data, rows: many, columns: 2 },
    trainLabels: labels,
    valLogits: few.logits,
    valLabels: few.labels,
    targets: 2,
    sourceScale: 1,
  });
  expect(rowsOf(learned.matrix, 2).map(top)).toEqual([0, 1]);
});

test('a class without a training image gets the mean of its validation images, and a note', async () => {
  const problem = input(4, [0, 1, 3], [0, 1, 2, 3]);
  const { matrix, notes, valAccuracy } = await learnRelationship(problem);
  const direct = await learnRelationship({ ...problem, approach: 'direct' });
  expect([...rowsOf(matrix, 8)[2]]).toEqual([...rowsOf(direct.matrix, 8)[2]]);
  expect(rowsOf(matrix, 8).map(top)).toEqual([0, 1, 2, 3]);
  expect(notes).toEqual([
    'Target class 2 has no training image: its row is the mean source prediction of its validation images.',
  ]);
  expect(valAccuracy).toBeLessThanOrEqual(0.75);
});

test.each(['reverse', 'direct'] as const)(
  '%s: a class without any image gets the mean over all images, and a note',
  async (approach) => {
    const { matrix, notes } = await learnRelationship({ ...input(3, [0, 1], [0, 1]), approach });
    const [first, second, third] = rowsOf(matrix, 8);
    expect(notes).toEqual([
      'Target class 2 has no image: its row is the mean source prediction of all images.',
    ]);
    expect(sum(third)).toBeCloseTo(1, 12);
    if (approach === 'direct')
      for (const [s, p] of third.entries()) expect(p).toBeCloseTo((first[s] + second[s]) / 2, 12);
  },
);

test('the direct approach needs no validation image, the reverse one says that it does', async () => {
  const problem = input(2, [0, 1], []);
  expect((await learnRelationship({ ...problem, approach: 'direct' })).matrix).toHaveLength(16);
  await expect(learnRelationship(problem)).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(/validation part is empty/),
    hint: expect.stringMatching(/direct approach/),
  });
  await expect(learnRelationship(input(3, [0, 1], [2]))).rejects.toThrow(/No validation image is of a class/);
});

test.each<[string, (good: RelationshipInput) => Partial<RelationshipInput>, RegExp]>([
  [
    'a NaN logit',
    ({ trainLogits }) => ({ trainLogits: { ...trainLogits, data: trainLogits.data.with(21, Number.NaN) } }),
    /training logits hold NaN in row 2, column 5/,
  ],
  [
    'an infinite logit',
    ({ valLogits }) => ({ valLogits: { ...valLogits, data: valLogits.data.with(8, Infinity) } }),
    /validation logits hold Infinity in row 1, column 0/,
  ],
  [
    'a label out of range',
    ({ valLabels }) => ({ valLabels: valLabels.with(3, 2) }),
    /Label 2 of validation row 3 is none of the 2 target classes/,
  ],
  [
    'a negative label',
    ({ trainLabels }) => ({ trainLabels: trainLabels.with(0, -1) }),
    /Label -1 of training row 0/,
  ],
  [
    'a label too few',
    ({ trainLabels }) => ({ trainLabels: trainLabels.slice(1) }),
    /23 training labels for 24 rows/,
  ],
  [
    'other source classes',
    ({ valLogits }) => ({ valLogits: { ...valLogits, rows: 20, columns: 4 } }),
    /8 source classes, the validation logits 4/,
  ],
  [
    'one class only',
    ({ trainLabels }) => ({ trainLabels: trainLabels.map(() => 1) }),
    /are of 1 target class; a relationship needs two/,
  ],
  [
    'no training image',
    () => ({
      trainLogits: { data: new Float64Array(0), rows: 0, columns: 8 },
      trainLabels: new Int32Array(0),
    }),
    /are of 0 target classes/,
  ],
  ['a scale of zero', () => ({ sourceScale: 0 }), /source scale is 0/],
  ['a matrix beyond memory', () => ({ targets: 2 ** 31 }), /make no matrix that can be learned/],
])('%s is refused with its place', async (_, change, message) => {
  const good = input(2, [0, 1], [0, 1]);
  await expect(learnRelationship({ ...good, ...change(good) })).rejects.toThrow(message);
});

test('equal validation accuracies choose the largest C', async () => {
  const easy = input(2, [0, 1], [0, 1]);
  for (const { labels, logits } of [
    { labels: easy.trainLabels, logits: easy.trainLogits },
    { labels: easy.valLabels, logits: easy.valLogits },
  ])
    for (const [i, label] of labels.entries()) logits.data[i * 8 + label] = 9;
  const { C, valAccuracy, scale } = await learnRelationship(easy);
  expect([C, valAccuracy]).toEqual([1e4, 1]);
  // A classifier without an error has no best scale; it is held at its bound.
  expect(scale).toBeCloseTo(100, 6);
});

test('a temperature that was applied is found again', () => {
  const classes = 5;
  const rows = 4000;
  const data = Float64Array.from({ length: rows * classes }, () => 6 * random());
  const labels = Array.from({ length: rows }, (_, i) => {
    const exponentials = [...data.subarray(i * classes, (i + 1) * classes)].map((z) => Math.exp(z));
    let left = (random() + 0.5) * sum(exponentials);
    return exponentials.findIndex((e, k) => {
      left -= e;
      return left <= 0 || k === classes - 1;
    });
  });
  const scaled = { data: data.map((z) => z * 2.5), rows, columns: classes };
  // Sampling noise of 4,000 labels.
  expect(fitTemperature(scaled, labels)).toBeGreaterThan(2.35);
  expect(fitTemperature(scaled, labels)).toBeLessThan(2.65);
});

test.each([
  [1, 6, 120],
  [1.6, 6, 120],
  // Validation is always right, so that the scale is the largest and the weights' last digits count.
  [0.15, 2, 80],
])(
  'a relationship is within 1e-5 of the exact one, of logits %d times as large with a spread of %d and %d source classes',
  async (size, spread, sources) => {
    const targets = 30;
    const centers = Float64Array.from({ length: targets * sources }, () => 8 * size * random());
    const around = (count: number) => {
      const labels = Int32Array.from({ length: count }, (_, i) => i % targets);
      const data = Float64Array.from(
        { length: count * sources },
        (_, at) =>
          centers[labels[Math.floor(at / sources)] * sources + (at % sources)] + spread * size * random(),
      );
      return { labels, logits: { data, rows: count, columns: sources } };
    };
    const [train, val] = [around(450), around(120)];
    const part = async ({ logits, labels }: typeof train) => ({
      probabilities: await softmaxRows(logits, 1),
      labels,
    });
    const fitted = await part(train);
    const marginal = new Float64Array(sources).fill(1 / sources);
    const { rows, C, scale } = await fitReverse(fitted, await part(val), targets, marginal);

    const x = openFixedMatrix(fitted.probabilities, targets);
    const problem = new LogisticRegression(x, train.labels, targets);
    let solution: Solution | undefined;
    for await (const next of problem.path([1, 10, 100, 1000, 1e4].filter((one) => one <= C))) solution = next;
    const { weights } = await problem.polish({ ...solution!, C }, 1e-10);
    await problem.dispose();
    await x.dispose();
    // In logarithms: with a large scale most of a source class's distribution is nothing beside its largest value.
    const logs = Array.from({ length: sources }, (_, s) => {
      const column = Array.from({ length: targets }, (_, k) => scale * weights[k * sources + s]);
      const top = Math.max(...column);
      return column.map((z) => z - top - Math.log(sum(column.map((other) => Math.exp(other - top)))));
    });
    for (const [k, row] of rows.entries()) {
      const top = Math.max(...logs.map((column) => column[k]));
      const likelihoods = logs.map((column) => Math.exp(column[k] - top));
      for (const [s, p] of row.entries())
        expect(Math.abs(p - likelihoods[s] / sum(likelihoods))).toBeLessThan(1e-5);
    }
  },
);

test('the polished weights leave no gradient of the objective, and are as near to the minimum as was asked', async () => {
  const { logits, labels } = images([0, 1, 2], 10, 6);
  const x = openFixedMatrix(logits, 3);
  const problem = new LogisticRegression(x, labels, 3);
  let solution: Solution | undefined;
  for await (const next of problem.path([1, 10])) solution = next;
  const { weights: near } = await problem.polish(solution!, 1e-8);
  const { weights, C } = await problem.polish(solution!, 1e-11);
  await problem.dispose();
  await x.dispose();
  const gradient = weights.slice();
  for (const [i, label] of labels.entries()) {
    const features = logits.data.subarray(i * 6, (i + 1) * 6);
    const exponentials = [0, 1, 2].map((k) => Math.exp(sum(features.map((f, j) => f * weights[k * 6 + j]))));
    for (let k = 0; k < 3; k++)
      for (let j = 0; j < 6; j++)
        gradient[k * 6 + j] += C * (exponentials[k] / sum(exponentials) - Number(k === label)) * features[j];
  }
  const norm = Math.hypot(...weights);
  expect(Math.hypot(...gradient)).toBeLessThan(1e-10 * norm);
  expect(Math.hypot(...near.map((w, j) => w - weights[j]))).toBeLessThan(1e-8 * norm);
});

/** Leaves R X in `out`: the gradient without weights and targets. */
async function product(x: FixedMatrix, r: Reals, out: Reals): Promise<void> {
  const zeros = (like: Reals) => like.map(() => 0);
  await x.gradient({ C: 1, q: r, targets: zeros(r) }, zeros(out), out);
}

test.each([Float32Array, Float64Array])(
  'products with a fixed matrix agree with the sums they stand for (%o)',
  async (Reals) => {
    const matrix = { data: Float64Array.from({ length: 7 * 5 }, random), rows: 7, columns: 5 };
    const x = openFixedMatrix(matrix, 3);
    const w = Reals.from(Array.from({ length: 15 }, random));
    const r = Reals.from(Array.from({ length: 21 }, random));
    const [scores, back] = [new Reals(21), new Reals(15)];
    const turned = new Reals(21);
    await x.timesTransposed(w, scores);
    await x.transposedTimes(w, turned);
    await product(x, r, back);
    await x.dispose();
    const tolerance = Reals === Float64Array ? 1e-14 : 1e-6;
    for (let k = 0; k < 3; k++) {
      for (let i = 0; i < 7; i++) {
        const want = sum([0, 1, 2, 3, 4].map((j) => w[k * 5 + j] * matrix.data[i * 5 + j]));
        expect(Math.abs(scores[k * 7 + i] - want)).toBeLessThan(tolerance);
        expect(Math.abs(turned[i * 3 + k] - want)).toBeLessThan(tolerance);
      }
      for (let j = 0; j < 5; j++) {
        const want = sum([0, 1, 2, 3, 4, 5, 6].map((i) => r[k * 7 + i] * matrix.data[i * 5 + j]));
        expect(Math.abs(back[k * 5 + j] - want)).toBeLessThan(tolerance);
      }
    }
  },
);

test.each([
  [Float32Array, false],
  [Float32Array, true],
  [Float64Array, false],
  [Float64Array, true],
])('the gradient is that of the regularized cross-entropy (%o, a free column: %s)', async (Reals, isFree) => {
  const matrix = { data: Float64Array.from({ length: 7 * 5 }, random), rows: 7, columns: 5 };
  const x = openFixedMatrix(matrix, 3, isFree);
  const of = (length: number) => Reals.from(Array.from({ length }, random));
  const [q, targets, w, out] = [of(21), of(21), of(15), new Reals(15)];
  const C = 3;
  const squares = await x.gradient({ C, q, targets }, w, out);
  await x.dispose();
  const digits = Reals === Float64Array ? 13 : 5;
  for (const [at, value] of out.entries()) {
    const [k, j] = [Math.floor(at / 5), at % 5];
    const slopes = [0, 1, 2, 3, 4, 5, 6].map(
      (i) => (q[k * 7 + i] - targets[k * 7 + i]) * matrix.data[i * 5 + j],
    );
    expect(value).toBeCloseTo(C * sum(slopes) + (isFree && j === 4 ? 0 : w[at]), digits);
  }
  expect(squares).toBeCloseTo(sum(Array.from(out, (value) => value ** 2)), digits - 1);
});

test.each([
  [Float32Array, false],
  [Float32Array, true],
  [Float64Array, false],
  [Float64Array, true],
])(
  'a move of weights, and the squares of those that decay (%o, a free column: %s)',
  async (Reals, isFree) => {
    // So many that one sum of them all in single precision would be wrong in the fifth digit.
    const [k, columns] = [40, 2000];
    const x = openFixedMatrix({ data: new Float32Array(columns), rows: 1, columns }, k, isFree);
    const w = Reals.from(Array.from({ length: k * columns }, random));
    const d = Float32Array.from({ length: k * columns }, random);
    const out = new Reals(k * columns);
    const squares = await x.move(w, 0.25, d, out);
    await x.dispose();
    let want = 0;
    for (const [at, value] of out.entries()) {
      if (Math.abs(value - (w[at] + 0.25 * d[at])) > 1e-6) expect(value).toBeCloseTo(w[at] + 0.25 * d[at], 6);
      if (!(isFree && at % columns === columns - 1)) want += value ** 2;
    }
    expect(Math.abs(squares / want - 1)).toBeLessThan(Reals === Float64Array ? 1e-13 : 3e-7);
  },
);

test.each([
  [Float32Array, false],
  [Float32Array, true],
  [Float64Array, false],
])('where conjugate gradients begin (%o, a free column: %s)', async (Reals, isFree) => {
  const x = openFixedMatrix({ data: new Float32Array(5), rows: 1, columns: 5 }, 3, isFree);
  const curvature = Float32Array.from({ length: 15 }, (_, at) => (at % 5 === 4 ? 0 : 1 + random()));
  const g = Reals.from(Array.from({ length: 15 }, random));
  const [scale, share, residual, preconditioned] = [15, 15, 15, 15].map((length) => new Float32Array(length));
  await x.begin({ C: 30, curvature, scale, share }, g, { residual, preconditioned });
  await x.dispose();
  for (const [at, value] of scale.entries()) {
    const diagonal = Math.max(1e-6, 30 * curvature[at] + (isFree && at % 5 === 4 ? 0 : 1));
    expect(value * (isFree ? Math.sqrt(diagonal) : diagonal)).toBeCloseTo(1, 5);
    expect(residual[at]).toBeCloseTo(-g[at], 6);
    const column = [0, 1, 2].map((k) => share[k * 5 + (at % 5)] * residual[k * 5 + (at % 5)]);
    expect(preconditioned[at] / (value * residual[at] + share[at] * sum(column))).toBeCloseTo(1, 5);
  }
});

test('what conjugate gradients begin with turns single columns of a system round', async () => {
  const [K, D, C] = [4, 3, 20];
  const matrix = { data: Float32Array.from({ length: 9 * D }, random), rows: 9, columns: D };
  const x = openFixedMatrix(matrix, K);
  const [q, curvature] = [new Float32Array(K * 9), new Float32Array(K * D)];
  const columns = openSoftmaxColumns(K, 9);
  await columns.softmax(Float32Array.from({ length: K * 9 }, random), q);
  await columns.dispose();
  await x.curvature(q, curvature);
  const [scale, share, residual, preconditioned] = [1, 2, 3, 4].map(() => new Float32Array(K * D));
  const meeting = (k: number, l: number, j: number) => {
    const total = sum(Array.from({ length: K }, (_, m) => C * curvature[m * D + j]));
    const off = (C * curvature[k * D + j] * C * curvature[l * D + j]) / total;
    return (k === l ? 1 + C * curvature[k * D + j] : 0) - off;
  };
  for (let l = 0; l < K; l++) {
    const g = Float32Array.from({ length: K * D }, (_, at) => -meeting(Math.floor(at / D), l, at % D));
    await x.begin({ C, curvature, scale, share }, g, { residual, preconditioned });
    for (const [at, value] of preconditioned.entries())
      expect(value).toBeCloseTo(Number(Math.floor(at / D) === l), 5);
  }
  await x.dispose();
});

test('the curvature of distributions is the product of their variances with the squares', async () => {
  const matrix = { data: Float64Array.from({ length: 7 * 5 }, random), rows: 7, columns: 5 };
  const x = openFixedMatrix(matrix, 3);
  const q = Float32Array.from({ length: 21 }, () => 0.5 + random());
  const curvature = new Float32Array(15);
  await x.curvature(q, curvature);
  await x.dispose();
  for (const [at, value] of curvature.entries()) {
    const [k, j] = [Math.floor(at / 5), at % 5];
    const variances = [0, 1, 2, 3, 4, 5, 6].map((i) => q[k * 7 + i] * (1 - q[k * 7 + i]));
    expect(value).toBeCloseTo(sum(variances.map((v, i) => v * matrix.data[i * 5 + j] ** 2)), 5);
  }
});

/** Scores [classes, rows] as large as a regression's: the exponentials of some overflow. */
const largeScores = (length: number) => Float64Array.from({ length }, () => 400 * random());

test.each([Float32Array, Float64Array])(
  'the softmax over columns, of large scores too (%o)',
  async (Reals) => {
    const scores = Reals.from(largeScores(3 * 7));
    const probabilities = new Reals(21);
    const columns = openSoftmaxColumns(3, 7);
    const logSum = await columns.softmax(scores, probabilities);
    await columns.dispose();
    let want = 0;
    for (let i = 0; i < 7; i++) {
      const column = [0, 1, 2].map((k) => scores[k * 7 + i]);
      const largest = Math.max(...column);
      const total = sum(column.map((s) => Math.exp(s - largest)));
      want += largest + Math.log(total);
      for (const [k, s] of column.entries())
        expect(probabilities[k * 7 + i]).toBeCloseTo(Math.exp(s - largest) / total, 6);
    }
    expect(logSum / want).toBeCloseTo(1, 6);
  },
);

test.each([Float32Array, Float64Array])(
  'the softmax along a direction is that of the scores there (%o)',
  async (Reals) => {
    const scores = Reals.from(largeScores(3 * 7));
    const direction = Reals.from(largeScores(3 * 7));
    const into = { scores: new Reals(21), probabilities: new Reals(21) };
    const columns = openSoftmaxColumns(3, 7);
    const logSum = await columns.along(scores, 0.25, direction, into);
    const there = scores.map((score, at) => score + 0.25 * direction[at]);
    const probabilities = new Reals(21);
    expect(logSum / (await columns.softmax(there, probabilities))).toBeCloseTo(1, 6);
    await columns.dispose();
    for (const [at, score] of there.entries()) expect(into.scores[at] / score).toBeCloseTo(1, 5);
    for (const [at, value] of probabilities.entries()) expect(into.probabilities[at]).toBeCloseTo(value, 3);
  },
);

test('means and covariances of scores are the derivatives of the logarithms of their sums', async () => {
  const scores = [0, 1, 2].map(() => Float32Array.from({ length: 3 * 7 }, random));
  const columns = openSoftmaxColumns(3, 7);
  const a = [3, -2, 5];
  const into = { scores: new Float32Array(21), probabilities: new Float32Array(21) };
  const together = Float32Array.from({ length: 63 }, (_, at) => {
    const [k, b, i] = [Math.floor(at / 21), Math.floor(at / 7) % 3, at % 7];
    return scores[b][k * 7 + i];
  });
  const { means, covariances, logSum } = await columns.moments(a, together, into);
  const probabilities = new Float32Array(21);
  await columns.softmax(into.scores, probabilities);
  for (const [at, score] of into.scores.entries())
    expect(score).toBeCloseTo(sum(a.map((value, b) => value * scores[b][at])), 5);
  for (const [at, value] of probabilities.entries()) expect(into.probabilities[at]).toBeCloseTo(value, 6);
  /** Σ_i log Σ_k exp Σ_b a_b S_b in double precision. */
  const logSumAt = (a: number[]) =>
    sum(
      [0, 1, 2, 3, 4, 5, 6].map((i) =>
        Math.log(sum([0, 1, 2].map((k) => Math.exp(sum(a.map((value, b) => value * scores[b][k * 7 + i])))))),
      ),
    );
  const moved = (b: number, c: number, [h, g]: number[]) =>
    logSumAt(a.map((value, at) => value + (at === b ? h : 0) + (at === c ? g : 0)));
  await columns.dispose();
  expect(logSum).toBeCloseTo(logSumAt(a), 5);
  const h = 1e-3;
  for (const [b, mean] of means.entries()) {
    expect(mean).toBeCloseTo((moved(b, b, [h, 0]) - moved(b, b, [-h, 0])) / (2 * h), 5);
    expect(covariances[b]).toHaveLength(3);
    for (const [c, covariance] of covariances[b].entries()) {
      const mixed = moved(b, c, [h, h]) - moved(b, c, [h, -h]) - moved(b, c, [-h, h]) + moved(b, c, [-h, -h]);
      expect(covariance).toBeCloseTo(mixed / (4 * h * h), 4);
    }
  }
});

test('the start of a C is the best of what the latest solutions span, also where they depend on each other', async () => {
  const { logits, labels } = images([0, 1, 2], 10, 6);
  const x = openFixedMatrix(logits, 3);
  const columns = openSoftmaxColumns(3, 30);
  const span = new Span(3, labels);
  expect(span.isEmpty).toBe(true);
  const solutions: Float32Array[] = [];
  // Of five, the first is forgotten; the last one depends on two others.
  for (const factor of [0, 0, 0, 0, 1]) {
    const weights =
      factor === 1
        ? Float32Array.from(solutions[2], (w, j) => 2 * w + solutions[3][j])
        : Float32Array.from({ length: 18 }, (_, at) => random() + Number(Math.floor(at / 6) === at % 6));
    const scores = new Float32Array(90);
    await x.timesTransposed(weights, scores);
    span.add(weights, scores, new Float64Array(0));
    solutions.push(weights);
  }
  expect(span.isEmpty).toBe(false);
  const C = 0.3;
  const into = {
    weights: new Float32Array(18).fill(7),
    scores: new Float32Array(90),
    probabilities: new Float32Array(90),
  };
  const logSum = await span.best(columns, C, 1e-3, into);
  const start = into.weights;
  const scores = new Float64Array(90);
  await x.timesTransposed(Float64Array.from(start), scores);
  const relative = scores.map((score, at) => score - scores[labels[at % 30] * 30 + (at % 30)]);
  for (const [at, score] of relative.entries()) expect(into.scores[at]).toBeCloseTo(score, 4);
  const probabilities = new Float64Array(90);
  expect(await columns.softmax(relative, probabilities)).toBeCloseTo(logSum, 3);
  for (const [at, value] of probabilities.entries()) expect(into.probabilities[at]).toBeCloseTo(value, 5);
  await columns.dispose();
  // No gradient is left along the solutions: C Σ (q − y) S_b + W · W_b.
  const wrong = probabilities.map((q, at) => q - Number(labels[at % 30] === Math.floor(at / 30)));
  const gradient = new Float64Array(18);
  await product(x, wrong, gradient);
  await x.dispose();
  const length = Math.hypot(...start);
  for (const weights of solutions.slice(1)) {
    const slope = sum(weights.map((w, j) => w * (C * gradient[j] + start[j])));
    expect(Math.abs(slope)).toBeLessThan(1e-2 * length * Math.hypot(...weights));
  }
  expect(length).toBeGreaterThan(0.1);
});

test.each([2, Number.POSITIVE_INFINITY])(
  'a step of conjugate gradients is the one that the textbook has, after an energy of %d',
  async (energyBefore) => {
    const matrix = { data: Float64Array.from({ length: 7 * 5 }, random), rows: 7, columns: 5 };
    const x = openFixedMatrix(matrix, 3);
    const of = (length: number, from = 0) => Float32Array.from({ length }, () => from + random());
    const q = of(21, 0.5);
    const [C, scale, share] = [3, of(15, 1), of(15)];
    const standing = () => ({
      solution: of(15),
      scores: of(21),
      residual: of(15),
      preconditioned: of(15, 1),
      direction: of(15),
      energy: of(1),
    });
    const [from, into] = [standing(), standing()];
    from.energy[0] = energyBefore;
    const { preconditioned } = from;
    const { squares, lowered } = await x.conjugateStep({ C, q, scale, share }, from, into);

    const energy = sum(from.residual.map((r, j) => r * preconditioned[j]));
    const p = Float64Array.from(preconditioned, (z, j) => z + (energy / energyBefore) * from.direction[j]);
    const pScores = new Float64Array(21);
    await x.timesTransposed(p, pScores);
    const weighted = pScores.map((score, at) => {
      const i = at % 7;
      return q[at] * (score - sum([0, 1, 2].map((k) => q[k * 7 + i] * pScores[k * 7 + i])));
    });
    const curved = new Float64Array(15);
    await product(x, weighted, curved);
    await x.dispose();
    const hp = curved.map((value, j) => C * value + p[j]);
    const length = energy / sum(hp.map((value, j) => value * p[j]));
    const residual = hp.map((value, j) => from.residual[j] - length * value);
    const shared = residual.map((_, at) =>
      sum([0, 1, 2].map((k) => share[k * 5 + (at % 5)] * residual[k * 5 + (at % 5)])),
    );
    const want = {
      solution: p.map((value, j) => from.solution[j] + length * value),
      scores: pScores.map((value, j) => from.scores[j] + length * value),
      residual,
      preconditioned: residual.map((r, j) => scale[j] * r + share[j] * shared[j]),
      direction: p,
      energy: [energy],
    };
    for (const [name, values] of Object.entries(want) as [keyof typeof want, ArrayLike<number>][])
      for (const [at, value] of Array.from(values).entries()) expect(into[name][at]).toBeCloseTo(value, 4);
    expect(squares).toBeCloseTo(sum(residual.map((r) => r * r)), 4);
    expect(lowered).toBeCloseTo(length * energy, 4);
  },
);

test('the bench measures a problem of the asked size and reports every objective', async () => {
  const bench = await benchRelationship({ samples: 60, sources: 12, targets: 3, rounds: 1 });
  expect(bench.grid).toHaveLength(17);
  // At C = 1e-4 the classifier is all but uniform: C · n · ln K.
  expect(bench.grid[16].objective).toBeCloseTo(1e-4 * 60 * Math.log(3), 4);
  expect(bench.grid_s.median).toBeGreaterThan(0);
  expect(bench.val_accuracy).toBeGreaterThan(1 / 3);
  await expect(benchRelationship({ samples: 5, sources: 12, targets: 3, rounds: 1 })).rejects.toThrow(
    /too few for 3 target/,
  );
});
