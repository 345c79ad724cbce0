import { expect, test } from 'vitest';
import {
  confidentJoint,
  likeliest,
  likelyWrong,
  pruneByClass,
  pruneByNoiseRate,
  selfConfidence,
} from '../../src-main/transfer/confident-learning.ts';
import { evened } from '../../src-main/transfer/evened-features.ts';
import { foldsOf, outOfFold } from '../../src-main/transfer/out-of-fold.ts';
import { cosinesOf } from '../../src-main/transfer/similar-images.ts';
import { tagDoubts } from '../../src-main/transfer/tag-doubts.ts';
import reference from '../fixtures/confident-learning.json' with { type: 'json' };

const { labels, probabilities: rows } = reference.inputs;
const p = { data: Float64Array.from(rows.flat()), rows: rows.length, columns: rows[0].length };

test('thresholds, joint and pruned images are those of the reference implementation', () => {
  const joint = confidentJoint(p, labels);
  // Sums of at most 20 numbers in another order.
  for (const [j, t] of joint.thresholds.entries()) expect(t).toBeCloseTo(reference.thresholds[j], 7);
  expect(joint.joint).toEqual(reference.confident_joint);
  expect(joint.calibrated.flat().map((count) => count.toFixed(6))).toEqual(
    reference.calibrated_counts.flat().map((count) => count.toFixed(6)),
  );
  expect(pruneByNoiseRate(p, labels, joint)).toEqual(reference.prune_by_noise_rate);
  expect(pruneByClass(p, labels, joint)).toEqual(reference.prune_by_class);
  const likely = likeliest(p);
  expect(labels.flatMap((label, i) => (likely[i] === label ? [] : [i]))).toEqual(
    reference.predicted_neq_given,
  );
  const confidence = selfConfidence(p, labels);
  expect([...labels.keys()].sort((a, b) => confidence[a] - confidence[b])).toEqual(
    reference.ranked_by_self_confidence,
  );
});

test('suspects are pruned images whose likeliest class is another one, the surest first', () => {
  const suspects = likelyWrong(p, labels, 100);
  const pruned = [...reference.prune_by_noise_rate, ...reference.prune_by_class];
  const expected = reference.predicted_neq_given.filter((image) => pruned.includes(image));
  expect(suspects.map(({ image }) => image).sort((a, b) => a - b)).toEqual(expected);
  for (const [at, { image, suggested, givenP, suggestedP, score }] of suspects.entries()) {
    expect([givenP, suggestedP]).toEqual([rows[image][labels[image]], Math.max(...rows[image])]);
    expect(rows[image][suggested]).toBe(suggestedP);
    expect(score).toBeLessThanOrEqual(suspects[at - 1]?.score ?? Number.POSITIVE_INFINITY);
  }
  expect(likelyWrong(p, labels, 3)).toEqual(suspects.slice(0, 3));
});

test('a class without images, and a label of which nobody is confident, mark nothing', () => {
  const two = { data: Float64Array.of(0.6, 0.4, 0, 0.6, 0.4, 0), rows: 2, columns: 3 };
  const joint = confidentJoint(two, [0, 1]);
  expect(joint.thresholds[2]).toBe(Number.POSITIVE_INFINITY);
  expect(joint.calibrated[2]).toEqual([0, 0, 0]);
});

/** Images of two classes that lie apart in the first of four features; `wrong` of them bear the other label. */
function cloud(count: number, wrong: readonly number[]) {
  const data = new Float32Array(4 * count);
  let dice = 1;
  const noise = () => {
    dice = (dice * 16807) % 2147483647;
    return dice / 2147483647 - 0.5;
  };
  for (let at = 0; at < data.length; at++) data[at] = noise() + (at % 4 === 0 ? ((at / 4) % 2) * 3 : 0);
  const truths = Int32Array.from({ length: count }, (_, i) => i % 2);
  return {
    features: { data, rows: count, columns: 4 },
    labels: truths.map((label, i) => (wrong.includes(i) ? 1 - label : label)),
  };
}

test('images with wrong labels have the least probability of them, by probes that have not seen them', async () => {
  const wrong = [3, 10, 25];
  const images = cloud(60, wrong);
  const folds = foldsOf(
    images.labels,
    Array.from(images.labels, (_, i) => `${i % 50}`),
    5,
  );
  const { probabilities } = await outOfFold(images, 2, folds);
  const confidence = selfConfidence(probabilities, images.labels);
  const worst = [...confidence.keys()].sort((a, b) => confidence[a] - confidence[b]).slice(0, 3);
  expect(worst.sort((a, b) => a - b)).toEqual(wrong);
  for (let i = 0; i < 60; i++)
    expect(probabilities.data[2 * i] + probabilities.data[2 * i + 1]).toBeCloseTo(1, 9);
});

test('folds deal every class out evenly and keep equal images together', () => {
  const labels = Array.from({ length: 40 }, (_, i) => i % 4);
  const keys = labels.map((_, i) => `content ${i < 4 ? 0 : i}`);
  const folds = foldsOf(labels, keys, 5);
  expect(new Set(folds.slice(0, 4)).size).toBe(1);
  for (let fold = 0; fold < 5; fold++) {
    const size = folds.filter((one) => one === fold).length;
    expect(size).toBeGreaterThanOrEqual(6);
    expect(size).toBeLessThanOrEqual(11);
  }
});

const half = Number(Math.SQRT1_2.toFixed(6));

test('cosines are of each image with all, of features evened so that no strong one drowns the others', async () => {
  const data = Float32Array.of(9, 0, 16, 0, 1, 1, 0, 100);
  const all: number[][] = [];
  const features = evened({ data, rows: 4, columns: 2 });
  await cosinesOf(
    features,
    (_, cosines) => void all.push(Array.from(cosines, (value) => Math.round(value * 1e6) / 1e6)),
  );
  expect(all).toEqual([
    [1, 1, half, 0],
    [1, 1, half, 0],
    [half, half, 1, half],
    [0, 0, half, 1],
  ]);
});

test('of a sentence the word is told whose type is the most doubtful, where its predicted tags make other entities', () => {
  const names = ['O', 'B-A', 'I-A', 'B-B', 'I-B'];
  const row = (sure: number, p = 0.9) => names.map((_, tag) => (tag === sure ? p : (1 - p) / 4));
  // Four words of each tag are told well; of the last three the first and the third are surely of another type.
  const words = names.flatMap((_, tag) => Array.from({ length: 4 }, () => ({ given: tag, p: row(tag) })));
  words.push({ given: 0, p: row(1, 0.96) }, { given: 0, p: row(0) }, { given: 2, p: row(3, 0.98) });
  const probabilities = { data: Float32Array.from(words.flatMap(({ p }) => p)), rows: 23, columns: 5 };
  const labels = words.map(({ given }) => given);
  const doubts = (errors: number, tags = ['B-A', 'O', 'B-B']) =>
    tagDoubts(
      [
        { words: { from: 0, to: 20 }, tags: labels.slice(0, 20).map((tag) => names[tag]), errors: 0 },
        { words: { from: 20, to: 23 }, tags, errors },
      ],
      probabilities,
      labels,
      names,
    );
  const [sure, doubted] = doubts(2);
  expect(sure).toBeNull();
  expect(doubted).toMatchObject({ word: 2 });
  // Both tags of A together.
  expect(doubted!.givenP).toBeCloseTo(0.01, 6);
  expect(doubted!.suggestedP).toBeCloseTo(0.985, 6);
  expect(doubts(0)).toEqual([null, null]);
});
