import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writePredictions } from '../../src-main/service/bench-store-rows.ts';
import { openStore, type Store } from '../../src-main/store/store.ts';
import { predictionColumns } from '../../src-shared/prediction-columns.ts';
import { drain } from '../drain.ts';
import { cpuMilliseconds } from './cpu-milliseconds.ts';
import { addModel, config, dataset, newRun, sample } from './store-rows.ts';

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-store-'));
  store = openStore(join(folder, 'cotune.sqlite'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('samples', () => {
  test('keep their ids when a re-import finds them unchanged, wherever the class numbers moved', () => {
    const id = store.datasets.insert(dataset('d'));
    store.samples.replace(id, [sample('a/1.jpg'), sample('a/2.jpg'), sample('b/3.jpg', 1)]);
    const before = store.samples.all(id);
    store.samples.replace(id, [sample('a/1.jpg', 1), sample('a/2.jpg', 1, 'other'), sample('c/4.jpg')]);
    const after = store.samples.all(id);
    expect(after.map((s) => s.path)).toEqual(['a/1.jpg', 'a/2.jpg', 'c/4.jpg']);
    expect(after[0]).toEqual({ ...before[0], label: 1 });
    expect(after[1].id).not.toBe(before[1].id);
  });

  test('are found by their group, and groups by how many they have', () => {
    const id = store.datasets.insert(dataset('d'));
    const of = (path: string, group: string | null) => ({ ...sample(path), group });
    store.samples.replace(id, [of('a', 'x'), of('b', 'y'), of('c', 'y'), of('d', null)]);
    expect(store.samples.groups(id, 10)).toEqual([
      { name: 'y', images: 2 },
      { name: 'x', images: 1 },
    ]);
    expect(store.samples.groups(id, 1)).toHaveLength(1);
    const { total, samples } = store.samples.page(id, { group: 'y' }, 0, 10);
    expect([total, samples.map(({ path }) => path)]).toEqual([2, ['b', 'c']]);
  });

  test('that are tagged texts are found by a type of entity, and by characters of their text', () => {
    const id = store.datasets.insert(dataset('d', ['LOC', 'PER']));
    const tagged = (path: string, words: string[], tags: string[]) => ({
      ...sample(path, -1),
      text: { text: words.join(' '), words, tags },
    });
    store.samples.replace(id, [
      tagged('1', ['Ada', 'sleeps'], ['B-PER', 'O']),
      tagged('2', ['New', 'York'], ['B-LOC', 'I-LOC']),
      tagged('3', ['100%', 'sure'], ['O', 'O']),
    ]);
    const found = (filter: { type?: string; search?: string }) =>
      store.samples.page(id, filter, 0, 10).samples.map(({ path }) => path);
    expect(found({ type: 'LOC' })).toEqual(['2']);
    expect(found({ type: 'PER' })).toEqual(['1']);
    expect(found({ type: 'OC' })).toEqual([]);
    expect(found({ search: '0%' })).toEqual(['3']);
    expect(found({ search: 'york' })).toEqual(['2']);
  });

  test('keep what was found of them when others are looked at', () => {
    const id = store.datasets.insert(dataset('d'));
    store.samples.replace(id, [sample('a/1.jpg'), sample('a/2.jpg'), sample('b/3.jpg', 1)]);
    const wrong = (path: string, detail: string) => ({ kind: 'wrong-label' as const, path, detail });
    store.findings.replace(id, ['wrong-label'], [wrong('a/1.jpg', 'a'), wrong('a/2.jpg', 'a')]);
    const seen = store.samples.all(id).slice(1);
    const ids = seen.map((one) => one.id);
    store.findings.replaceOf(id, 'wrong-label', ids, [wrong('b/3.jpg', 'b')]);
    const { findings } = store.findings.page(id, {}, 0, 10);
    expect(findings.map(({ path, detail }) => `${path} ${detail}`)).toEqual(['a/1.jpg a', 'b/3.jpg b']);
  });

  test('that a re-import no longer finds stay readable for the runs that predicted them', () => {
    const run = store.runs.insert(newRun(store));
    const id = store.datasets.getByName('d')!.id;
    store.samples.replace(id, [sample('a/1.jpg')]);
    const [old] = store.samples.all(id);
    const predicted = {
      sampleIds: Int32Array.of(old.id),
      labels: Int32Array.of(0),
      probabilities: Float32Array.of(0.25, 0.75),
    };
    for (const _ of writePredictions(store, run, predicted, folder));
    store.samples.replace(id, []);
    expect(store.samples.page(id, {}, 0, 10).total).toBe(0);
    expect(store.predictions.page(run, 'test', {}, 0, 10).predictions[0].sample.path).toBe('a/1.jpg');
  });

  test('are paged within 50 ms out of 100,000', { timeout: 120_000 }, async () => {
    const id = store.datasets.insert(dataset('big'));
    const found = Array.from({ length: 100_000 }, (_, i) => sample(`c${i % 100}/${i}.jpg`, i % 100));
    store.transaction(() => store.samples.replace(id, found));
    expect(store.samples.page(id, { label: 50 }, 500, 200)).toMatchObject({ total: 1000 });
    expect(await cpuMilliseconds(() => store.samples.page(id, {}, 0, 200))).toBeLessThan(50);
    expect(await cpuMilliseconds(() => store.samples.page(id, {}, 99_000, 200))).toBeLessThan(50);
    expect(
      await cpuMilliseconds(() => store.samples.page(id, { label: 50, split: 'train' }, 500, 200)),
    ).toBeLessThan(50);
  });
});

describe('metrics', () => {
  test('of 100,000 rows are read after a step within 50 ms', async () => {
    const run = store.runs.insert(newRun(store));
    store.transaction(() => {
      for (let step = 0; step < 20_000; step++) {
        store.metrics.insert(run, step, { loss: step, lr: 1, a: 2, b: 3, c: 4 });
      }
    });
    const late = store.metrics.after(run, 18_999);
    expect(late.loss).toHaveLength(1000);
    expect(late.loss[0]).toEqual({ step: 19_000, value: 19_000 });
    expect(await cpuMilliseconds(() => store.metrics.after(run, 18_999))).toBeLessThan(50);
  });

  test('of a series that was new in a transaction that was undone are stored the next time', () => {
    const run = store.runs.insert(newRun(store));
    const insert = () => store.metrics.insert(run, 1, { loss: 1 });
    const undone = () =>
      store.transaction(() => {
        insert();
        throw new Error('the disk is full');
      });
    expect(undone).toThrow('the disk is full');
    insert();
    expect(store.metrics.after(run, 0)).toEqual({ loss: [{ step: 1, value: 1 }] });
  });

  test('that are not numbers are left out, and a resumed run writes its later steps anew', () => {
    const run = store.runs.insert(newRun(store));
    store.metrics.insert(run, 1, { loss: 1 });
    store.metrics.insert(run, 2, { loss: Number.NaN, lr: 0.1 });
    expect(store.metrics.after(run, 0)).toEqual({
      loss: [{ step: 1, value: 1 }],
      lr: [{ step: 2, value: 0.1 }],
    });
    store.metrics.discardAfter(run, 1);
    expect(store.metrics.after(run, 0)).toEqual({ loss: [{ step: 1, value: 1 }] });
  });
});

describe('runs', () => {
  test('are taken from the queue by one process only, one at a time, in order', () => {
    const other = openStore(store.path);
    const [first, second] = [store.runs.insert(newRun(store)), store.runs.insert(newRun(store))];
    expect(store.runs.claim('me', null)).toBe(first);
    expect(other.runs.claim('you', null)).toBeUndefined();
    store.runs.end(first, 'me', 'finished', {});
    expect(other.runs.claim('you', [first])).toBeUndefined();
    expect(other.runs.claim('you', null)).toBe(second);
    expect(store.runs.claim('me', null)).toBeUndefined();
    other.close();
  });

  test('are ended only by the process that works on them', () => {
    const run = store.runs.insert(newRun(store));
    store.runs.claim('me', null);
    store.runs.end(run, 'somebody else', 'finished', {});
    expect(store.runs.get(run)?.status).toBe('running');
    expect(store.runs.requeue(run, 'somebody else', 0)).toBe(false);
    expect(store.runs.delete(run, 'somebody else')).toBe(false);
    expect(store.runs.isHeld(run, 'me')).toBe(true);
  });

  test('that were asked to stop do not go back into the queue', () => {
    const run = store.runs.insert(newRun(store));
    store.runs.claim('me', null);
    store.runs.requestStop(run);
    expect(store.runs.requeue(run, 'me', 0)).toBe(false);
  });

  test('are resumed once, whoever asks, and only where they have ended', () => {
    const other = openStore(store.path);
    const run = store.runs.insert(newRun(store));
    expect(store.runs.resume(run, 0)).toBe(false);
    store.runs.stopQueued(run);
    expect([store.runs.resume(run, 5), other.runs.resume(run, 5)]).toEqual([true, false]);
    expect([store.runs.claim('me', null), other.runs.claim('you', null)]).toEqual([run, undefined]);
    expect(other.runs.resume(run, 0)).toBe(false);
    other.close();
  });

  test('that changed or were deleted since a revision are found, by any connection', () => {
    const other = openStore(store.path);
    const [first, second] = [store.runs.insert(newRun(store)), store.runs.insert(newRun(store))];
    const revision = other.revision();
    store.runs.progress(second, 'train', 1, 2, 1);
    store.runs.delete(first, 'me');
    expect(other.runs.changedSince(revision).map((run) => run.id)).toEqual([second]);
    expect(other.runs.deletedSince(revision)).toEqual([first]);
    other.close();
  });

  test('outlive their dataset, which then shows as none', () => {
    const run = store.runs.insert(newRun(store));
    expect(store.runs.list({})[0].datasetId).not.toBeNull();
    store.datasets.delete(store.datasets.getByName('d')!.id);
    expect(store.datasets.list()).toEqual([]);
    expect(store.runs.list({})).toEqual([store.runs.get(run)]);
    expect(store.runs.get(run)?.datasetId).toBeNull();
    expect(store.datasets.insert(dataset('d'))).toBeGreaterThan(0);
    store.runs.delete(run, 'me');
    store.datasets.purge();
    expect(store.datasets.list()).toHaveLength(1);
  });

  test('are listed as they are now, also where another connection changed them', () => {
    const other = openStore(store.path);
    const run = store.runs.insert(newRun(store));
    expect(other.runs.list({})[0]).toMatchObject({ checkpointStep: null, error: null });
    store.checkpoints.insert(run, { step: 5, path: 'p', bytes: 1, best: null });
    expect(other.runs.list({})[0].checkpointStep).toBe(5);
    store.runs.update(run, { error: { code: 'failed', message: 'm', hint: '' } });
    expect(other.runs.list({})).toEqual([store.runs.get(run)]);
    store.runs.delete(run, 'me');
    expect(other.runs.list({})).toEqual([]);
    other.close();
  });

  test('10,000 of them are listed within 50 ms once read', async () => {
    store.transaction(() => {
      const run = newRun(store);
      for (let i = 0; i < 10_000; i++) store.runs.insert({ ...run, config: { ...config, seed: i } });
    });
    expect(store.runs.list({})).toHaveLength(10_000);
    expect(await cpuMilliseconds(() => store.runs.list({}))).toBeLessThan(50);
  });
});

test('relationships come back bit for bit, and the same key keeps its first row', () => {
  const model = addModel(store);
  const matrix = Float32Array.of(0.1, 0.2, 0.7, 0.3, 0.3, 0.4);
  const row = {
    key: 'k',
    datasetId: null,
    modelId: model,
    datasetName: 'd',
    modelName: 'm',
    approach: 'reverse' as const,
    sourceTemperature: 1,
    temperatureSource: 'default' as const,
    C: 10,
    scale: 1.5,
    valAccuracy: 0.9,
    grid: [{ C: 10, objective: 2, val_accuracy: 0.9 }],
    notes: ['One image was left out.'],
    targetClasses: ['a', 'b'],
    sourceClasses: ['x', 'y', 'z'],
    matrix,
  };
  const { id } = store.relationships.insert(row);
  expect(store.relationships.matrix(id)).toEqual(matrix);
  expect(store.relationships.insert({ ...row, matrix: new Float32Array(6) }).id).toBe(id);
  expect(store.relationships.matrix(id)).toEqual(matrix);
  const { matrix: _, ...facts } = row;
  expect(store.relationships.get(id)).toMatchObject(facts);
});

test('predictions are found by true class, by predicted class and by error', () => {
  const run = store.runs.insert(newRun(store));
  const id = store.datasets.getByName('d')!.id;
  store.samples.replace(id, [sample('1'), sample('2'), sample('3', 1)]);
  const ids = store.samples.all(id).map((s) => s.id);
  const probabilities = Float32Array.of(0.75, 0.25, 0.25, 0.75, 0, 1);
  const labels = Int32Array.of(0, 0, 1);
  for (const _ of writePredictions(
    store,
    run,
    { sampleIds: Int32Array.from(ids), labels, probabilities },
    folder,
  ));
  const paths = (filter: object) =>
    store.predictions.page(run, 'test', filter, 0, 10).predictions.map((p) => p.sample.path);
  expect(paths({ label: 0 })).toEqual(['1', '2']);
  expect(paths({ predicted: 1 })).toEqual(['2', '3']);
  expect(paths({ wrongOnly: true })).toEqual(['2']);
  expect(store.predictions.page(run, 'test', {}, 1, 1)).toMatchObject({
    total: 3,
    predictions: [
      {
        correct: false,
        confidence: 0.75,
        loss: Math.log(4),
        rank: 2,
        top: [
          { label: 1, p: 0.75 },
          { label: 0, p: 0.25 },
        ],
      },
    ],
  });
  expect(drain(store.predictions.read(run, 'test'))).toMatchObject({
    sampleIds: Float64Array.from(ids),
    labels,
    predicted: Int32Array.of(0, 1, 1),
  });
  expect(drain(store.predictions.read(run, 'val'))).toBeUndefined();
});

test('predictions that are coming in are seen when all are there, and those before until then', () => {
  const run = store.runs.insert(newRun(store));
  const id = store.datasets.getByName('d')!.id;
  store.samples.replace(id, [sample('1'), sample('2')]);
  const ids = Int32Array.from(store.samples.all(id), (s) => s.id);
  const labels = Int32Array.of(0, 0);
  const write = (probabilities: Float32Array, i: number, set: number) => {
    const found = predictionColumns(probabilities, labels.slice(i, i + 1), 2);
    const [sampleIds, truth] = [ids.slice(i, i + 1), labels.slice(i, i + 1)];
    store.predictions.add(set, { ...found, first: i, sampleIds, labels: truth });
  };
  const predicted = () => drain(store.predictions.read(run, 'test'))?.predicted;
  const predictions = { sampleIds: ids, labels, probabilities: Float32Array.of(1, 0, 1, 0) };
  for (const _ of writePredictions(store, run, predictions, folder));
  const set = store.predictions.begin(run, 'test', { path: 'x', rows: 2, columns: 2 });
  write(Float32Array.of(0, 1), 0, set);
  expect(predicted()).toEqual(Int32Array.of(0, 0));
  write(Float32Array.of(0, 1), 1, set);
  store.predictions.finish(set);
  expect(predicted()).toEqual(Int32Array.of(1, 1));
  expect(store.predictions.files(run)).toEqual(['x']);
  store.predictions.clear(run);
  expect(predicted()).toBeUndefined();
});
