import { expect, test } from 'vitest';
import { splitSamples } from '../../src-main/data/split.ts';
import type { Sample } from '../../src-shared/domain.ts';

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
