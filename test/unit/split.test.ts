import { expect, test } from 'vitest';
import { alikeByPath } from '../../src-main/data/alike.ts';
import { splitSamples } from '../../src-main/data/split.ts';
import { samplesForRun, samplesOfRun } from '../../src-main/service/run-samples.ts';
import type { Store } from '../../src-main/store/store.ts';
import type { Dataset, Run, Sample, SampleIssue } from '../../src-shared/domain.ts';

const sampleOf = (label: number, number: number, split: Sample['split'] = 'train'): Sample => ({
  id: label * 1000 + number,
  dataset: 1,
  path: `${split}/class-${label}/${number}.jpg`,
  label,
  split,
  width: 10,
  height: 10,
  bytes: 100,
  hash: `${label}-${number}-${split}`,
  perceptualHash: '0000000000000000',
});
const classSamples = (label: number, count: number, split?: Sample['split']) =>
  Array.from({ length: count }, (_, number) => sampleOf(label, number, split));
const perClass = (samples: Sample[]) => {
  const counts: Record<number, number> = {};
  for (const { label } of samples) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
};
const ids = (samples: Sample[]) => samples.map(({ id }) => id);
const options = { rate: 1, seed: 0, valFraction: 0.2 };

test('a fifth of each class is set aside, then the rate applies to the rest of each class, never overall', () => {
  const samples = [...classSamples(0, 100), ...classSamples(1, 20), ...classSamples(2, 20, 'test')];
  const { train, val, test } = splitSamples(samples, { ...options, rate: 0.15 });
  expect(perClass(val)).toEqual({ 0: 20, 1: 4 });
  expect(perClass(train)).toEqual({ 0: 12, 1: 2 });
  expect(perClass(test)).toEqual({ 2: 20 });
  expect(new Set(ids([...train, ...val, ...test])).size).toBe(train.length + val.length + test.length);
});

test('the same seed gives the same images whatever the order of the list; another seed others', () => {
  const samples = [...classSamples(0, 30), ...classSamples(1, 30)];
  const chosen = splitSamples(samples, { ...options, rate: 0.5 });
  const shuffled = samples.toSorted((a, b) => ((a.id * 7919) % 61) - ((b.id * 7919) % 61));
  expect(splitSamples(shuffled, { ...options, rate: 0.5 })).toEqual(chosen);
  expect(ids(splitSamples(samples, { ...options, seed: 1 }).val)).not.toEqual(ids(chosen.val));
});

test('the choice follows the content: renaming changes nothing, a new image moves at most one other', () => {
  const samples = classSamples(0, 50);
  const before = splitSamples(samples, options);
  const renamed = samples.map((sample) => ({ ...sample, path: `elsewhere/${999 - sample.id}.png` }));
  expect(new Set(ids(splitSamples(renamed, options).val))).toEqual(new Set(ids(before.val)));
  const after = new Set(ids(splitSamples([...samples, sampleOf(0, 999)], options).val));
  expect(ids(before.val).filter((id) => !after.has(id)).length).toBeLessThanOrEqual(1);
});

test('validation images do not depend on the rate, and a lower rate keeps a part of a higher one', () => {
  const samples = classSamples(0, 40);
  const [low, high] = [0.15, 0.6].map((rate) => splitSamples(samples, { ...options, rate }));
  expect(ids(low.val)).toEqual(ids(high.val));
  const more = new Set(ids(high.train));
  expect(ids(low.train).every((id) => more.has(id))).toBe(true);
});

test("the dataset's own validation split is used as it is", () => {
  const samples = [...classSamples(0, 10), ...classSamples(1, 10), ...classSamples(0, 3, 'val')];
  const { train, val } = splitSamples(samples, options);
  expect(perClass(train)).toEqual({ 0: 10, 1: 10 });
  expect(ids(val)).toEqual([0, 1, 2]);
});

test('every class sets images aside, not the first alone', () => {
  const samples = [0, 1, 2].flatMap((label) => classSamples(label, 5));
  expect(perClass(splitSamples(samples, options).val)).toEqual({ 0: 1, 1: 1, 2: 1 });
});

test('small classes keep a training image at any rate; those without a validation image are named', () => {
  const samples = [...classSamples(0, 1), ...classSamples(1, 2), ...classSamples(2, 3)];
  const { train, val, notes } = splitSamples(samples, { ...options, rate: 0.01 });
  expect(perClass(train)).toEqual({ 0: 1, 1: 1, 2: 1 });
  expect(perClass(val)).toEqual({ 2: 1 });
  expect(notes).toEqual(['Too few training images to set one aside for validation: class-0, class-1.']);
});

test('copies of one image stay on one side', () => {
  const samples = classSamples(0, 20).flatMap((sample) => [
    sample,
    { ...sample, id: sample.id + 500, path: `copy-of-${sample.path}` },
  ]);
  for (const seed of [0, 1, 2]) {
    const { train, val } = splitSamples(samples, { ...options, seed });
    expect(val).toHaveLength(8);
    const held = new Set(val.map(({ hash }) => hash));
    expect(train.some(({ hash }) => held.has(hash))).toBe(false);
  }
  const same = classSamples(0, 4).map((sample) => ({ ...sample, hash: 'one' }));
  expect(splitSamples(same, options)).toMatchObject({ val: [] });
});

const near = (path: string, other: string): SampleIssue => ({
  kind: 'near-duplicate',
  path,
  other,
  detail: '',
});

test('pictures that look the same never stand on both sides of training and validation, directly alike or not', () => {
  const samples = [...classSamples(0, 30), ...classSamples(1, 30)];
  // Chains of three, and one across the classes.
  const issues = Array.from({ length: 9 }, (_, chain) =>
    [1, 2].map((step) =>
      near(`train/class-0/${3 * chain + step}.jpg`, `train/class-0/${3 * chain + step - 1}.jpg`),
    ),
  ).flat();
  issues.push(near('train/class-1/0.jpg', 'train/class-0/29.jpg'));
  const alike = alikeByPath(samples, issues);
  for (let seed = 0; seed < 20; seed++) {
    const { train, val } = splitSamples(samples, { ...options, seed, alike });
    const keyOf = ({ path, hash }: Sample) => alike.get(path)?.key ?? hash;
    const trained = new Set(train.map(keyOf));
    expect(val.filter((image) => trained.has(keyOf(image)))).toEqual([]);
    expect(val.length).toBeGreaterThan(6);
    expect(train.map(({ path }) => path)).toContain('train/class-1/0.jpg');
    // Neither the order of the images nor that of the findings counts.
    const turned = alikeByPath(samples.toReversed(), issues.toReversed());
    expect(ids(splitSamples(samples.toReversed(), { ...options, seed, alike: turned }).val)).toEqual(
      ids(val),
    );
  }
});

test('of given validation images those that training shows too are left out, and that is said', () => {
  const samples = [...classSamples(0, 10), ...classSamples(0, 5, 'val'), ...classSamples(0, 2, 'test')];
  const issues = [
    near('val/class-0/1.jpg', 'train/class-0/3.jpg'),
    near('val/class-0/2.jpg', 'test/class-0/0.jpg'),
  ];
  const { val, train, notes } = splitSamples(samples, { ...options, alike: alikeByPath(samples, issues) });
  expect(val.map(({ path }) => path)).not.toContain('val/class-0/1.jpg');
  expect([val.length, train.length]).toEqual([4, 10]);
  expect(notes.join()).toContain('1 of 5 validation images');
});

test('a run that began when only copies were kept together goes on with its own images', () => {
  const samples = classSamples(0, 30);
  const issues = samples
    .slice(1)
    .map(({ path }, index) => near(path, samples[index].path))
    .slice(0, 12);
  const store = {
    samples: { all: () => samples },
    findings: { duplicates: () => issues },
  } as unknown as Store;
  const dataset = { id: 1, name: 'alike', task: 'image-classification' } as unknown as Dataset;
  const [today, before] = (['alike', 'copies'] as const).map((one) =>
    samplesForRun(store, dataset, 1, 0, one),
  );
  expect(before.splitHash).not.toBe(today.splitHash);
  const run = (splitHash: string) => ({ config: { rate: 1, seed: 0 }, splitHash }) as Run;
  expect(samplesOfRun(store, dataset, run(before.splitHash))).toEqual(before);
  expect(samplesOfRun(store, dataset, run(today.splitHash))).toEqual(today);
  expect(samplesOfRun(store, dataset, run('of other images'))).toEqual(today);
});

test('whole groups are on one side of training and validation, whatever their classes', () => {
  const samples = Array.from({ length: 60 }, (_, i) => sampleOf(i % 3, i));
  const groups = new Map(samples.map(({ path }, i) => [path, `patient ${Math.floor(i / 5)}`]));
  for (const seed of [0, 1, 2]) {
    const { train, val } = splitSamples(samples, { rate: 1, seed, valFraction: 0.2, groups });
    const patientsOf = (some: typeof train) => new Set(some.map(({ path }) => groups.get(path)));
    expect([...patientsOf(train)].filter((patient) => patientsOf(val).has(patient))).toEqual([]);
    expect(train.length + val.length).toBe(60);
    // A fifth of each class, and no group is cut for it.
    for (const label of [0, 1, 2])
      expect(val.filter((one) => one.label === label).length).toBeGreaterThanOrEqual(2);
  }
});
