import { expect, test } from 'vitest';
import { compareRuns } from '../../src-shared/comparison.ts';
import type { Run, RunConfig, Sample } from '../../src-shared/domain.ts';
import type { ComparedRun } from '../../src-shared/paired-images.ts';

const config: RunConfig = {
  dataset: 'monkeys',
  model: 'mnv2',
  method: 'finetune',
  preset: 'quick',
  rate: 0.15,
  seed: 0,
  steps: 150,
  batch: 32,
  size: 128,
  learningRate: 0.0005,
  headLearningRateMultiplier: 10,
  momentum: 0.9,
  weightDecay: 0.0005,
  decayAt: [100],
  decayFactor: 0.1,
  tradeOff: 2.3,
  approach: 'reverse',
  engine: 'cpu',
  precision: 'full',
  evaluateEvery: 0,
  checkpointEvery: 0,
  select: 'last',
};

const sample = (id: number): Sample => ({
  id,
  dataset: 1,
  path: `test/${id}.jpg`,
  label: id % 2,
  split: 'test',
  width: 9,
  height: 9,
  bytes: 9,
  hash: `${id}`,
  perceptualHash: '0',
});

/** A run over `n` test images that is wrong on those for which `wrong` says so. */
function compared(
  id: number,
  settings: Partial<RunConfig>,
  n: number,
  wrong: (i: number) => boolean,
  facts: Partial<Run> = {},
): ComparedRun {
  const seed = settings.seed ?? 0;
  const run = {
    id,
    status: 'finished',
    config: { ...config, ...settings },
    datasetHash: 'd',
    modelHash: 'm',
    splitHash: `s${seed}`,
    timing: { total_s: 10 * id },
    ...facts,
  } as Run;
  const predictions = Array.from({ length: n }, (_, i) => ({
    sample: sample(i),
    predicted: wrong(i) ? 1 - (i % 2) : i % 2,
  }));
  return { run, classNames: ['even', 'odd'], predictions };
}

test('a difference within the noise is called that, with its interval', () => {
  const a = compared(1, {}, 272, (i) => i < 30);
  const b = compared(2, { method: 'cotuning' }, 272, (i) => i >= 3 && i < 30);
  const [pair] = compareRuns([a, b]).pairs;
  expect(pair).toMatchObject({ a: 1, b: 2, comparable: true, reasons: [], distinguishable: false });
  expect(pair.difference!.value).toBeCloseTo(3 / 272, 12);
  expect(pair.verdict).toMatch(
    /^The two runs cannot be told apart on these 272 test images: difference \+1\.1 points, 95 % interval 0\.0 to \+2\.\d\.$/,
  );
  expect(pair.mcnemarP).toBeCloseTo(0.25, 12);
  expect(pair.fixed.map(({ sample }) => sample.id)).toEqual([0, 1, 2]);
  expect(pair.broken).toEqual([]);
  expect(pair.classes[0]).toMatchObject({
    name: 'even',
    support: 136,
    recallA: 121 / 136,
    recallB: 123 / 136,
  });
});

test('a difference beyond the noise names the better run, whichever side it is on', () => {
  const a = compared(1, {}, 200, (i) => i < 60);
  const b = compared(2, { method: 'cotuning' }, 200, (i) => i < 10);
  expect(compareRuns([a, b]).pairs[0].verdict).toMatch(
    /^Run 2 \(cotuning\) is better than run 1 \(finetune\) on these 200 test images: difference \+25\.0 points, .*; other seeds may say otherwise\.$/,
  );
  const [reversed] = compareRuns([b, a]).pairs;
  expect(reversed.verdict).toMatch(
    /^Run 2 \(cotuning\) is better than run 1 \(finetune\).*difference −25\.0 points/,
  );
  expect(reversed.broken).toHaveLength(50);
});

test('runs that are not like for like say in what', () => {
  const a = compared(1, {}, 50, () => false);
  const b = compared(2, { seed: 3, rate: 0.3, size: 224, steps: 300 }, 40, () => false, { modelHash: 'n' });
  const [pair] = compareRuns([a, b]).pairs;
  expect(pair.comparable).toBe(false);
  expect(pair.reasons).toEqual([
    'Only 40 test images are shared, of 50 and 40.',
    'They start from different pre-trained networks.',
    'The rates differ: 0.15 and 0.3 of the training images.',
    'The seeds differ: 0 and 3.',
    'The image sizes differ: 128 and 224 pixels.',
    'The budgets differ: 150 steps of 32 images and 300 steps of 32 images.',
  ]);
  expect(pair.configDifferences).toContainEqual({ key: 'size', a: '128', b: '224' });
});

test('equal settings over other images are not like for like either', () => {
  const a = compared(1, {}, 50, () => false);
  const b = compared(2, { method: 'cotuning' }, 50, () => false, { splitHash: 'other' });
  expect(compareRuns([a, b]).pairs[0].reasons).toEqual([
    'They were trained, validated or tested on different images.',
  ]);
});

test('runs without a common test image have no difference', () => {
  const a = compared(1, {}, 20, () => false);
  const b = compared(2, {}, 20, () => false);
  for (const prediction of b.predictions)
    prediction.sample = { ...prediction.sample, id: prediction.sample.id + 100 };
  expect(compareRuns([a, b]).pairs[0]).toMatchObject({
    comparable: false,
    difference: null,
    mcnemarP: null,
    distinguishable: false,
  });
});

test('runs that differ only in seed form a group, and groups are compared over paired seeds', () => {
  const runs = [0, 1, 2].flatMap((seed) => [
    compared(10 + seed, { seed }, 100, (i) => i % 5 === 0 || i % 17 === seed),
    compared(20 + seed, { seed, method: 'cotuning' }, 100, (i) => i % 20 === 0 || i % 23 === seed),
  ]);
  const { groups, differences } = compareRuns(runs);
  expect(groups.map(({ method, runs }) => [method, runs])).toEqual([
    ['finetune', [10, 11, 12]],
    ['cotuning', [20, 21, 22]],
  ]);
  expect(groups[0].accuracySd).toBeGreaterThan(0);
  expect(groups[0].secondsMean).toBe(110);
  expect(differences).toHaveLength(1);
  expect(differences[0]).toMatchObject({ a: 0, b: 1, seeds: [0, 1, 2], distinguishable: true, reasons: [] });
  expect(differences[0].difference.value).toBeCloseTo(groups[1].accuracyMean - groups[0].accuracyMean, 12);
  expect(differences[0].verdict).toMatch(
    /^Over 3 paired seeds and 100 test images, cotuning is better than finetune: difference \+/,
  );
});

test("a difference that one seed has and others lack is not called one: the seeds' spread counts", () => {
  const runs = [0, 1, 2].flatMap((seed) => [
    compared(10 + seed, { seed }, 1000, (i) => i < 100),
    compared(20 + seed, { seed, method: 'cotuning' }, 1000, (i) => i < (seed === 0 ? 0 : 100)),
  ]);
  const [difference] = compareRuns(runs).differences;
  expect(difference.difference.value).toBeCloseTo(0.1 / 3, 12);
  expect(difference.distinguishable).toBe(false);
  expect(difference.seedSd).toBeGreaterThan(0.05);
});

test('groups of one method are named by the settings that tell them apart', () => {
  const a = compared(1, { method: 'cotuning' }, 50, () => false);
  const b = compared(2, { method: 'cotuning', tradeOff: 1 }, 50, () => false);
  expect(compareRuns([a, b]).differences[0].verdict).toMatch(
    /Over 1 paired seed and 50 test images, cotuning \(tradeOff 1\) and cotuning \(tradeOff 2.3\) cannot be told apart/,
  );
});

test('a run without test predictions is refused by number', () => {
  expect(() => compareRuns([compared(1, {}, 5, () => false), compared(7, {}, 0, () => false)])).toThrow(
    /Run 7 .* no test predictions/,
  );
});
