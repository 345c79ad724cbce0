import { expect, test } from 'vitest';
import { openFixedMatrix } from '../../src-main/engine/fixed-matrix.ts';
import { termsOf } from '../../src-main/transfer/catalog.ts';
import { exact, fitProbe } from '../../src-main/transfer/linear-probe.ts';
import { LogisticRegression } from '../../src-main/transfer/logistic-regression.ts';
import type { LabeledFeatures } from '../../src-main/transfer/term.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import recorded from '../fixtures/linear-probe.json' with { type: 'json' };
import { indexDraws } from '../reference-draws.ts';

const { features, labels } = recorded.inputs;

test.each(recorded.solutions)(
  'the optimum with a free bias for C = $C is the one recorded from scikit-learn and Newton’s method',
  async (want) => {
    const data = Float64Array.from(features.flatMap((row) => [...row, 1]));
    const x = openFixedMatrix({ data, rows: features.length, columns: 7 }, 4, true);
    const problem = new LogisticRegression(x, labels, 4);
    const { weights, objective } = await exact(problem, want.C, 1e-10);
    await problem.dispose();
    await x.dispose();
    // Solved to a gradient below 1e-8: see the tolerances that come with the record.
    expect(Math.abs(objective / want.objective - 1)).toBeLessThan(1e-9);
    const bias = want.bias.map((_, k) => weights[k * 7 + 6]);
    const middle = bias.reduce((sum, value) => sum + value, 0) / 4;
    for (const [k, row] of want.weight.entries()) {
      for (const [j, value] of row.entries()) expect(Math.abs(weights[k * 7 + j] - value)).toBeLessThan(1e-6);
      expect(Math.abs(bias[k] - middle - want.bias[k])).toBeLessThan(1e-6);
    }
    const logits = features.map((row) =>
      bias.map((b, k) => row.reduce((sum, value, j) => sum + value * weights[k * 7 + j], b - middle)),
    );
    for (const [i, row] of want.first_4_logits.entries())
      for (const [k, value] of row.entries()) expect(Math.abs(logits[i][k] - value)).toBeLessThan(1e-6);
    const hits = logits.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]);
    expect(hits).toHaveLength(want.correct);
  },
);

const draw = indexDraws(5);
const noise = () => draw(1 << 20) / (1 << 20) - 0.5;

/** Images whose feature of their own class stands out, on an offset that all share. */
function images(classes: readonly number[], change: (value: number) => number = (value) => value) {
  const data = Float32Array.from({ length: classes.length * 4 }, (_, at) =>
    change((at % 4 === classes[Math.floor(at / 4)] ? 1 : 0) + 1.5 * noise()),
  );
  return {
    features: { data, rows: classes.length, columns: 4 },
    labels: Int32Array.from(classes),
  } satisfies LabeledFeatures;
}
const repeated = (classes: number[], times: number) => Array.from({ length: times }, () => classes).flat();
const logitsOf = ({ data, rows, columns }: Matrix, weight: Float32Array, bias: Float32Array) =>
  Array.from({ length: rows * bias.length }, (_, at) => {
    const [i, k] = [Math.floor(at / bias.length), at % bias.length];
    let sum = bias[k];
    for (let j = 0; j < columns; j++) sum += data[i * columns + j] * weight[k * columns + j];
    return sum;
  });

test('features shifted and scaled as a whole give the same predictions, and the same C', async () => {
  const [train, val] = [images(repeated([0, 1, 2], 12)), images(repeated([0, 1, 2], 5))];
  const moved = (part: LabeledFeatures): LabeledFeatures => ({
    ...part,
    features: { ...part.features, data: part.features.data.map((value) => 40 * value + 300) },
  });
  const [plain, other] = [await fitProbe(train, val, 3), await fitProbe(moved(train), moved(val), 3)];
  expect(other.C).toBe(plain.C);
  const [a, b] = [
    logitsOf(val.features, plain.weight, plain.bias),
    logitsOf(moved(val).features, other.weight, other.bias),
  ];
  // Features around 300 keep five digits behind the point in float32, weights of 1/40 as many relative ones.
  for (const [at, value] of a.entries()) expect(Math.abs(b[at] - value)).toBeLessThan(2e-3);
});

test('a class without training images is never predicted, its validation images count as wrong, and a note says so', async () => {
  const probe = await fitProbe(images(repeated([0, 2], 15)), images(repeated([0, 1, 2], 4)), 3);
  expect(probe.weight.slice(4, 8)).toEqual(new Float32Array(4));
  expect(probe.bias[1]).toBe(-30);
  expect(probe.valAccuracy).toBeLessThanOrEqual(2 / 3);
  expect(probe.notes.join(' ')).toMatch(/1 target classes have no training sample/);
});

test('without a validation image a usual C is taken, and a note says so', async () => {
  const probe = await fitProbe(images(repeated([0, 1, 2], 12)), images([]), 3);
  expect(probe).toMatchObject({ C: 10, valAccuracy: null });
  expect(probe.notes[0]).toMatch(/no validation sample/);
});

test('training images of one class, and features that are no numbers, are refused with their reason', async () => {
  await expect(fitProbe(images([1, 1]), images([1]), 3)).rejects.toThrow(/of one target class/);
  const broken = images([0, 1], () => Number.NaN);
  await expect(fitProbe(broken, images([1]), 3)).rejects.toThrow(/not finite/);
});

test('the linear probe is in closed form and the baseline; LP-FT trains on with its own rates', () => {
  const [{ term: probe }, { term: tuned, options }] = termsOf([{ name: 'linear-probe' }, { name: 'lp-ft' }]);
  expect(probe).toMatchObject({ closedForm: true, isBaseline: true });
  expect(tuned.closedForm).toBeUndefined();
  expect(tuned.defaults).toEqual({ learningRate: 3e-4, headLearningRateMultiplier: 1 });
  expect(tuned.frozenStatistics!(options)).toBe(true);
  expect(tuned.frozenStatistics!({ frozenStatistics: false })).toBe(false);
});

test('a solution is as exact as was asked for where C weighs rounding up', async () => {
  const [C, tolerance, samples, columns, classes] = [1e5, 1e-3, 300, 65, 10];
  const labels = Array.from({ length: samples }, (_, i) => i % classes);
  const data = Float64Array.from({ length: samples * columns }, (_, at) =>
    at % columns === columns - 1
      ? 1
      : 3 * noise() + Number(at % columns === labels[Math.floor(at / columns)]),
  );
  const x = openFixedMatrix({ data, rows: samples, columns }, classes, true);
  const problem = new LogisticRegression(x, labels, classes);
  const { weights } = await exact(problem, C, tolerance);
  await problem.dispose();
  await x.dispose();
  const gradient = Float64Array.from(weights, (value, at) => (at % columns < columns - 1 ? value : 0));
  for (const [i, label] of labels.entries()) {
    const row = data.subarray(i * columns, (i + 1) * columns);
    const scores = Array.from({ length: classes }, (_, k) =>
      row.reduce((sum, value, j) => sum + value * weights[k * columns + j], 0),
    );
    const top = Math.max(...scores);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
    for (const [k, score] of scores.entries())
      for (const [j, value] of row.entries())
        gradient[k * columns + j] += C * (Math.exp(score - top) / total - Number(k === label)) * value;
  }
  expect(Math.hypot(...gradient)).toBeLessThan(tolerance * Math.hypot(...weights) * 1.01);
});
