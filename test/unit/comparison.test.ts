import { expect, test } from 'vitest';
import { comparePairInDetail, compareRuns } from '../../src-shared/comparison.ts';
import type { Comparison } from '../../src-shared/contract.ts';
import type { Run, RunConfig } from '../../src-shared/domain.ts';
import type { ComparedRun } from '../../src-shared/paired-images.ts';
import { drain } from '../drain.ts';
import { usualConfig } from '../usual-config.ts';

const config: RunConfig = {
  ...usualConfig,
  rate: 0.15,
  steps: 150,
  learningRate: 0.0005,
  schedule: { name: 'step', decayAt: [100], decayFactor: 0.1 },
  engine: 'cpu',
  evaluateEvery: 0,
  checkpointEvery: 0,
};

const compare = (runs: readonly ComparedRun[]): Comparison => drain(compareRuns(runs));

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
    task: 'image-classification',
    status: 'finished',
    config: { ...config, ...settings },
    datasetHash: 'd',
    modelHash: 'm',
    splitHash: `s${seed}`,
    timing: { total_s: 10 * id },
    ...facts,
  } as Run;
  const labels = Array.from({ length: n }, (_, i) => i % 2);
  const predictions = {
    sampleIds: [...labels.keys()],
    labels,
    predicted: labels.map((label, i) => (wrong(i) ? 1 - label : label)),
  };
  return { run, classNames: ['even', 'odd'], preprocessing: null, predictions };
}

test('a difference within the noise is called that, with its interval', () => {
  const a = compared(1, {}, 272, (i) => i < 30);
  const b = compared(2, { method: [{ name: 'cotuning' }] }, 272, (i) => i >= 3 && i < 30);
  const [pair] = compare([a, b]).pairs;
  expect(pair).toMatchObject({ a: 1, b: 2, comparable: true, reasons: [], distinguishable: false });
  expect(pair.difference!.value).toBeCloseTo(3 / 272, 12);
  expect(pair.verdict).toMatch(
    /^These two trained networks, run 1 \(finetune\) and run 2 \(cotuning\), cannot be told apart on 272 test images: difference \+1\.1 points, 95 % interval 0\.0 to \+2\.\d, p = 0\.25\.$/,
  );
  expect(pair.mcnemarP).toBeCloseTo(0.25, 12);
  expect([pair.fixed, pair.broken]).toEqual([3, 0]);
  expect(comparePairInDetail(a, b).classes[0]).toMatchObject({
    name: 'even',
    support: 136,
    recallA: 121 / 136,
    recallB: 123 / 136,
  });
});

test('a difference beyond the noise names the better run, whichever side it is on', () => {
  const a = compared(1, {}, 200, (i) => i < 60);
  const b = compared(2, { method: [{ name: 'cotuning' }] }, 200, (i) => i < 10);
  expect(compare([a, b]).pairs[0].verdict).toMatch(
    /^Of these two trained networks, run 2 \(cotuning\) is better than run 1 \(finetune\) on images like these 200 test images: difference \+25\.0 points, .* About the methods one seed says nothing sure/,
  );
  const [reversed] = compare([b, a]).pairs;
  expect(reversed.verdict).toMatch(
    /run 2 \(cotuning\) is better than run 1 \(finetune\).*difference −25\.0 points/,
  );
  expect(reversed.broken).toBe(50);
});

test('runs that are not like for like say in what', () => {
  const a = compared(1, {}, 50, () => false);
  const b = compared(2, { seed: 3, rate: 0.3, size: 224, steps: 300 }, 40, () => false, { modelHash: 'n' });
  const [pair] = compare([a, b]).pairs;
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
  const b = compared(2, { method: [{ name: 'cotuning' }] }, 50, () => false, { splitHash: 'other' });
  expect(compare([a, b]).pairs[0].reasons).toEqual([
    'They were trained, validated or tested on different images.',
  ]);
});

test('runs without a common test image have no difference', () => {
  const a = compared(1, {}, 20, () => false);
  const b = compared(2, {}, 20, () => false);
  b.predictions.sampleIds = Array.from(b.predictions.sampleIds, (id) => id + 100);
  expect(compare([a, b]).pairs[0]).toMatchObject({
    comparable: false,
    difference: null,
    mcnemarP: null,
    distinguishable: false,
  });
});

test('runs that differ only in seed form a group, and groups are compared over paired seeds', () => {
  const runs = [0, 1, 2].flatMap((seed) => [
    compared(10 + seed, { seed }, 100, (i) => i % 5 === 0 || i % 17 === seed),
    compared(
      20 + seed,
      { seed, method: [{ name: 'cotuning' }] },
      100,
      (i) => i % 20 === 0 || i % 23 === seed,
    ),
  ]);
  const { groups, differences } = compare(runs);
  expect(groups.map(({ name, runs, seeds }) => [name, runs, seeds])).toEqual([
    ['finetune', [10, 11, 12], [0, 1, 2]],
    ['cotuning', [20, 21, 22], [0, 1, 2]],
  ]);
  expect(groups[0].accuracySd).toBeGreaterThan(0);
  expect(groups[0].secondsMean).toBe(110);
  expect(differences).toHaveLength(1);
  expect(differences[0]).toMatchObject({
    a: 0,
    b: 1,
    seeds: [0, 1, 2],
    distinguishable: true,
    about: 'methods',
  });
  expect(differences[0].difference.value).toBeCloseTo(groups[1].accuracyMean - groups[0].accuracyMean, 12);
  expect(differences[0].verdict).toMatch(
    /^Over 3 paired seeds and 100 test images, cotuning is better than finetune: difference \+/,
  );
});

test("a difference that one seed has and others lack is not called one: the seeds' spread counts", () => {
  const runs = [0, 1, 2].flatMap((seed) => [
    compared(10 + seed, { seed }, 1000, (i) => i < 100),
    compared(20 + seed, { seed, method: [{ name: 'cotuning' }] }, 1000, (i) => i < (seed === 0 ? 0 : 100)),
  ]);
  const [difference] = compare(runs).differences;
  expect(difference.difference.value).toBeCloseTo(0.1 / 3, 12);
  expect(difference.distinguishable).toBe(false);
  expect(difference.seedSd).toBeGreaterThan(0.05);
});

test('one seed carries no verdict about methods: it speaks of the two networks, and says so', () => {
  const a = compared(1, {}, 200, (i) => i < 60);
  const b = compared(2, { method: [{ name: 'cotuning' }] }, 200, (i) => i < 10);
  const [difference] = compare([a, b]).differences;
  expect(difference).toMatchObject({ about: 'networks', seedSd: null, distinguishable: true });
  expect(difference.verdict).toMatch(/Of these two trained networks, .* one seed says nothing sure/);
});

test('a seed that was run twice is one seed', () => {
  const runs = [
    compared(1, {}, 200, (i) => i < 60),
    compared(2, { method: [{ name: 'cotuning' }] }, 200, (i) => i < 10),
    compared(3, {}, 200, (i) => i < 60),
    compared(4, { method: [{ name: 'cotuning' }], checkpointEvery: 7 }, 200, (i) => i < 10),
  ];
  const { groups, differences } = compare(runs);
  expect(groups.map(({ runs, repeats }) => [runs, repeats])).toEqual([
    [[1], [3]],
    [[2], [4]],
  ]);
  expect(differences).toMatchObject([{ seeds: [0], about: 'networks' }]);
});

test.each<[string, Partial<RunConfig>, Partial<Run>, RegExp]>([
  ['budget', { steps: 9050 }, {}, /budgets differ: 150 steps of 32 images and 9050 steps/],
  ['crop size', { size: 224 }, {}, /sizes differ: 128 and 224/],
  [
    'choice of weights',
    { select: 'best', evaluateEvery: 50 },
    {},
    /last step and the best of every 50 steps/,
  ],
  ['precision', { precision: 'mixed' }, {}, /precisions differ: full and mixed/],
  ['engine', {}, { engine: { name: 'webgpu', device: '', versions: {} } }, /engines differ: cpu and webgpu/],
])('a different %s takes the word «better» from every verdict', (_, settings, facts, reason) => {
  const runs = [0, 1, 2].flatMap((seed) => [
    compared(10 + seed, { seed }, 300, (i) => i < 100),
    compared(20 + seed, { seed, method: [{ name: 'cotuning' }], ...settings }, 300, (i) => i === seed, facts),
  ]);
  const { differences, pairs } = compare(runs);
  expect(differences).toHaveLength(1);
  for (const { verdict, about, distinguishable } of [differences[0], pairs[0]]) {
    expect({ about, distinguishable }).toEqual({ about: 'none', distinguishable: false });
    expect(verdict).toMatch(reason);
    expect(verdict).not.toMatch(/is better/);
  }
});

test('pixels that are made into input in another way are not like for like', () => {
  const a = { ...compared(1, {}, 50, () => false), preprocessing: { mean: [0, 0, 0] } };
  const b = {
    ...compared(2, { method: [{ name: 'cotuning' }] }, 50, () => false),
    preprocessing: { mean: [1, 0, 0] },
  };
  expect(compare([a, b]).pairs[0].reasons).toEqual(['Pixels are made into network input in different ways.']);
});

test('every verdict is adjusted for those beside it', () => {
  // Five images of 200 in one direction only: p = 0.0625 / 2 = 0.03 alone with six, lost among fifteen.
  const runs = Array.from({ length: 6 }, (_, k) =>
    compared(k + 1, { learningRate: 0.001 * (k + 1) }, 200, (i) => k === 0 && i < 6),
  );
  const { differences, pairs } = compare(runs);
  expect(differences).toHaveLength(15);
  expect(differences[0]).toMatchObject({ verdicts: 15, distinguishable: false });
  expect(differences[0].p).toBeCloseTo(2 / 64, 12);
  expect(differences[0].adjustedP).toBeCloseTo((2 / 64) * 15, 12);
  expect(differences[0].verdict).toMatch(/p = 0\.031, 0\.47 adjusted for 15 verdicts/);
  expect(pairs[0]).toMatchObject({ verdicts: 5, distinguishable: false });
  expect(compare(runs.slice(0, 2)).pairs[0]).toMatchObject({ verdicts: 1, distinguishable: true });
});

test('a class without test images has no recall and no gain', () => {
  const a = { ...compared(1, {}, 4, () => false), classNames: ['even', 'odd', 'absent'] };
  const b = { ...compared(2, { method: [{ name: 'cotuning' }] }, 4, () => false), classNames: a.classNames };
  expect(comparePairInDetail(a, b).classes[2]).toEqual({
    name: 'absent',
    support: 0,
    recallA: null,
    recallB: null,
    gain: null,
  });
});

test('settings that only one side has are differences too', () => {
  const a = compared(1, {}, 4, () => false);
  const b = compared(2, { ...({ warmup: 5 } as object) }, 4, () => false);
  expect(compare([a, b]).pairs[0].configDifferences).toEqual([{ key: 'warmup', a: '–', b: '5' }]);
});

test('a run without test predictions is refused by number', () => {
  expect(() => compare([compared(1, {}, 5, () => false), compared(7, {}, 0, () => false)])).toThrow(
    /Run 7 .* no test predictions/,
  );
});
