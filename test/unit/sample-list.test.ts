/** A dataset's pictures by filters and orders, over rows without files. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import { addRuns, writePredictions } from '../../src-main/service/bench-store-rows.ts';
import { openHome } from '../../src-main/service/home.ts';
import { type KeptFeatures, openFeatures } from '../../src-main/service/kept-features.ts';
import { listSamples } from '../../src-main/service/sample-list.ts';
import { openStore, type Store } from '../../src-main/store/store.ts';
import { type Calls, contract } from '../../src-shared/contract.ts';

let folder: string;
let store: Store;
let run: number;
let features: KeptFeatures;
/** Of class i modulo 4. */
const images = 40;
/** Right but for every fifth image, taken for the next class; the surer the later. */
const isWrong = (i: number) => i % 5 === 0;
const sureOf = (i: number) => 0.5 + i / 100;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-list-'));
  store = openStore(join(folder, 'cotune.sqlite'));
  const { runs, predicted } = addRuns(store, images, 4, 1);
  [run] = runs;
  const tested = store.samples.all(1);
  const trained = tested.slice(0, 8).map((one) => ({
    ...one,
    path: `more/${one.path}`,
    hash: `more ${one.hash}`,
    split: 'train' as const,
  }));
  store.samples.replace(1, [...tested, ...trained]);
  // The store tells samples by path, and images of their class; their ids are in the order of the numbers.
  for (const [row, id] of predicted.sampleIds.entries()) {
    const at = row * 4;
    const i = id - 1;
    predicted.probabilities.fill((1 - sureOf(i)) / 3, at, at + 4);
    predicted.probabilities[at + ((predicted.labels[row] + Number(isWrong(i))) % 4)] = sureOf(i);
  }
  for (const _ of writePredictions(store, run, predicted, folder));
  // Of the tested images alone, each turned a little against the one before.
  features = openFeatures({ store, home: openHome(folder) });
  const angles = tested.map(({ id }) => 0.01 * (id - 1));
  await features.write(features.find({ dataset: 'bench', model: 'bench' }).key, {
    ids: Int32Array.from(tested, ({ id }) => id),
    components: 2,
    values: Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])),
  });
});
afterAll(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const list = (filter: Omit<z.input<Calls['datasets.samples']['input']>, 'dataset'>) => {
  const { total, samples } = listSamples(
    { store, features },
    contract.calls['datasets.samples'].input.parse({ dataset: 'bench', ...filter }),
  );
  return { total, numbers: samples.map(({ id }) => id - 1) };
};

test('images are filtered by what a run made of them', () => {
  const wrong = list({ run, outcome: 'wrong' });
  expect(wrong.total).toBe(8);
  expect(wrong.numbers.every(isWrong)).toBe(true);
  expect(list({ run, outcome: 'right', label: 2 }).numbers.every((i) => !isWrong(i) && i % 4 === 2)).toBe(
    true,
  );
  expect(list({ run, predicted: 1, outcome: 'wrong' }).numbers.every((i) => i % 4 === 0)).toBe(true);
});

test('the greatest loss and the least sure come first where that is asked for, page by page', () => {
  // Of the wrong ones the surest has the greatest loss.
  expect(list({ run, order: 'loss', limit: 3 }).numbers).toEqual([35, 30, 25]);
  expect(list({ run, order: 'confidence-rising', offset: 10, limit: 2 })).toEqual({
    total: images,
    numbers: [10, 11],
  });
});

test('images are filtered by what a run used them for', () => {
  expect(list({ run, part: 'train' }).total + list({ run, part: 'val' }).total).toBe(8);
  expect(list({ run, part: 'test' }).total).toBe(images);
  expect(list({ run, part: 'unused' }).total).toBe(0);
});

test('images that are named come in the order in which they are named, those of another dataset not', () => {
  expect(list({ ids: [7, 3, 999] })).toEqual({ total: 2, numbers: [6, 2] });
});

test('the most like one image come first, of those that are asked for', () => {
  const like = { sample: 1, model: 'bench' };
  expect(list({ like, offset: 3, limit: 3 })).toEqual({ total: images, numbers: [3, 4, 5] });
  expect(list({ like, label: 2, limit: 2 }).numbers).toEqual([2, 6]);
  expect(list({ like, run, outcome: 'wrong', order: 'loss', limit: 2 }).numbers).toEqual([0, 5]);
  expect(() => list({ like: { sample: 45, model: 'bench' } })).toThrow(/no features/);
  expect(() => list({ like: { sample: 1, run } })).toThrow(/no trained weights/);
});

test('what needs a run says so', () => {
  expect(() => list({ outcome: 'wrong' })).toThrow(/without a run/);
  expect(() => list({ run: 77 })).toThrow(/no run 77/);
});

test('a view of a name is kept once, and goes with its dataset', () => {
  const [{ id: dataset }] = store.datasets.list();
  store.views.save(dataset, { name: 'odd', query: { outcome: 'wrong' } });
  const kept = store.views.save(dataset, { name: 'odd', query: { outcome: 'right' } });
  expect(store.views.list(dataset)).toEqual([kept]);
  expect(kept.query).toEqual({ outcome: 'right' });
  expect(store.views.delete(kept.id)).toBe(true);
  expect(store.views.delete(kept.id)).toBe(false);
});
