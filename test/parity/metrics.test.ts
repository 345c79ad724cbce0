import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { evaluate, splitMetrics } from '../../src-shared/metrics.ts';
import { networkDifference } from '../../src-shared/paired-networks.ts';
import { predictionColumns } from '../../src-shared/prediction-columns.ts';
import { mcnemar, wilsonInterval } from '../../src-shared/statistics.ts';
import { indexDraws } from '../reference-draws.ts';

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/metrics/${name}.json`, import.meta.url), 'utf8'));
const { labels, logits } = fixture('data') as { labels: number[]; logits: number[][][] };
const expected = fixture('expected');
const classNames = [...'abcdefg'];

function softmax(rows: number[][]): Float64Array {
  return Float64Array.from(
    rows.flatMap((row) => {
      const exponentials = row.map((value) => Math.exp(value - Math.max(...row)));
      const sum = exponentials.reduce((total, value) => total + value, 0);
      return exponentials.map((value) => value / sum);
    }),
  );
}
const probabilities = logits.map(softmax);
const scored = (values: Float32Array | Float64Array, truth: number[], classes: number) => ({
  labels: truth,
  ...predictionColumns(values, truth, classes),
});
// The fixture carries 9 significant digits.
const close = (got: number, want: number) =>
  expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-8 * Math.abs(want));

test.each([
  ['a', 0],
  ['b', 1],
])('every figure of run %s agrees with scikit-learn', (name, index) => {
  const want = expected[`run_${name}`];
  const got = evaluate(scored(probabilities[index], labels, 7), classNames, 'test');
  close(got.accuracy, want.accuracy);
  close(got.macroF1, want.macro.f1);
  close(got.nll, want.nll);
  close(got.ece, want.ece);
  close(got.brier!, want.brier);
  expect(got.confusion).toEqual(want.confusion_rows_true_columns_predicted);
  got.accuracyInterval.forEach((bound, i) => {
    close(bound, want.wilson_accuracy[i]);
  });
  got.classes.forEach((score, k) => {
    expect([score.support, score.predicted]).toEqual([want.support[k], want.predicted[k]]);
    // The reference counts 0/0 as 0; here it is no value.
    if (score.predicted === 0) expect(score.precision).toBeNull();
    close(score.precision ?? 0, want.precision[k]);
    close(score.recall!, want.recall[k]);
    close(score.f1!, want.f1[k]);
    score.recallInterval!.forEach((bound, i) => {
      expect(Math.abs(bound - want.wilson_recall[k][i])).toBeLessThan(1e-8);
    });
  });
  got.reliability.forEach((bin, b) => {
    expect(bin.count).toBe(want.reliability_bins[b].count);
    close(bin.accuracy, want.reliability_bins[b].accuracy);
    close(bin.confidence, want.reliability_bins[b].confidence);
  });
  const { accuracy, macroF1: macro_f1, nll, ece } = got;
  expect(splitMetrics(scored(probabilities[index], labels, 7), 7)).toEqual({ accuracy, macro_f1, nll, ece });
});

test('float32 probabilities give the same figures within float32 accuracy', () => {
  const got = evaluate(scored(Float32Array.from(probabilities[0]), labels, 7), classNames, 'test');
  expect(Math.abs(got.nll - expected.run_a.nll)).toBeLessThan(1e-5);
  expect(got.confusion).toEqual(expected.run_a.confusion_rows_true_columns_predicted);
});

test('a class without samples or predictions has no score, and the macro mean goes without it', () => {
  const { tiny } = expected;
  const got = evaluate(scored(softmax(tiny.logits), tiny.labels, 3), ['x', 'y', 'z'], 'val');
  expect(got.confusion).toEqual(tiny.confusion);
  expect(got.classes.map(({ precision }) => precision)).toEqual([...tiny.precision.slice(0, 2), null]);
  // The reference's mean over 3 classes, one of which counts 0 there.
  close(got.macroF1, (tiny.macro_f1_over_3_classes * 3) / 2);
  expect(got.classes[2]).toMatchObject({ recall: null, f1: null, recallInterval: null });
});

test('a class that is predicted but has no sample counts in the macro mean, as in scikit-learn', () => {
  const probabilities = Float64Array.of(0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.8, 0.8, 0.1, 0.1);
  // f1_score's classes are those of truth and prediction: F1 of 1, 2/3 and 0.
  close(splitMetrics(scored(probabilities, [0, 1, 1, 0], 3), 3).macro_f1, 5 / 9);
});

test('the interval of two networks is the one that the reference bootstrap draws its way to', () => {
  const want = expected.paired_bootstrap;
  const draw = indexDraws(want.seed);
  expect(want.first_10_indices.map(() => draw(200))).toEqual(want.first_10_indices);
  const predicted = probabilities.map((values) => scored(values, labels, 7).predicted);
  const correct = (index: number, i: number) => Number(predicted[index][i] === labels[i]);
  const gains = labels.map((_, i) => correct(0, i) - correct(1, i));
  const { low, high } = networkDifference(
    gains.filter((gain) => gain < 0).length,
    gains.filter((gain) => gain > 0).length,
    200,
  );
  // All resamples against 2,000 of them: a quantile of the latter varies by a step or two of 1/200.
  expect(Math.abs(low - want.interval[0])).toBeLessThanOrEqual(2 / 200 + 1e-12);
  expect(Math.abs(high - want.interval[1])).toBeLessThanOrEqual(2 / 200 + 1e-12);
});

test("McNemar's exact p-value agrees with the binomial sum, also where 2ⁿ overflows", () => {
  close(
    mcnemar(expected.mcnemar.only_a_right, expected.mcnemar.only_b_right),
    expected.mcnemar.exact_two_sided_p,
  );
  expect(mcnemar(0, 0)).toBe(1);
  expect(mcnemar(3, 0)).toBeCloseTo(0.25, 12);
  // scipy.stats.binomtest(1100, 2300).pvalue
  close(mcnemar(1100, 1200), 0.03896685268382056);
});

test('a Wilson interval stays within 0 and 1', () => {
  expect(wilsonInterval(0, 5)[0]).toBe(0);
  expect(wilsonInterval(5, 5)[1]).toBe(1);
});

test.each([
  ['too few probabilities', [0.5, 0.5, 1], [0, 1], /3 probabilities do not belong to 2 samples of 2 classes/],
  ['no sample', [], [], /0 probabilities/],
  ['a label out of range', [0.5, 0.5], [2], /Label 2 of sample 0/],
  ['NaN', [0.5, 0.5, Number.NaN, 1], [0, 1], /Sample 1 has a probability of NaN/],
])('%s is refused', (_, values, truth, message) => {
  expect(() => predictionColumns(Float64Array.from(values), truth, 2)).toThrow(message);
});
