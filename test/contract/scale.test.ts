import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addRuns, writePredictions } from '../../src-main/service/bench-store-rows.ts';
import type { Service } from '../../src-main/service/service.ts';
import { openStore } from '../../src-main/store/store.ts';
import { allRuns } from '../../src-shared/all-runs.ts';
import type { CallInput, CallName } from '../../src-shared/contract.ts';
import { cpuMilliseconds } from '../unit/cpu-milliseconds.ts';
import { config, dataset, newRun, sample } from '../unit/store-rows.ts';
import { type Fixture, makeFixture, open } from './fixture.ts';

let fixture: Fixture;
let service: Service;

const images = 100_000;
const runs = 10_000;
/** Ids of runs that are compared. */
const compared = Array.from({ length: 48 }, (_, index) => 2 + index);

beforeAll(async () => {
  fixture = await makeFixture(1);
  const store = openStore(`${fixture.home}/cotune.sqlite`);
  const names = Array.from({ length: 100 }, (_, i) => `class ${i}`);
  const id = store.datasets.insert({ ...dataset('d', names), path: fixture.images });
  const found = Array.from({ length: images }, (_, i) => ({
    ...sample(`class ${i % 100}/${i}.jpg`, i % 100),
    split: i % 5 === 0 ? ('test' as const) : ('train' as const),
  }));
  store.transaction(() => {
    store.samples.replace(id, found);
    const run = { ...newRun(store), targetClasses: names };
    for (let i = 0; i < runs; i++) store.runs.insert({ ...run, config: { ...config, seed: i } });
    const [first] = store.runs.list({}).slice(-1);
    for (let step = 0; step < 20_000; step++) {
      store.metrics.insert(first.id, step, { loss: 1, lr: 1, val_accuracy: 1, a: 1, b: 1 });
    }
    const tested = store.samples.all(id).filter((one) => one.split === 'test');
    const probabilities = new Float32Array(tested.length * 100).fill(0.01);
    const sampleIds = Int32Array.from(tested, (one) => one.id);
    const labels = Int32Array.from(tested, (one) => one.label);
    for (const _ of writePredictions(store, first.id, { sampleIds, labels, probabilities }, fixture.home));
    for (const run of compared) {
      const some = { sampleIds: sampleIds.slice(0, 2000), labels: labels.slice(0, 2000) };
      const own = new Float32Array(2000 * 100);
      // Right for two images of three, another two in every run.
      for (const [i, label] of some.labels.entries())
        own[i * 100 + ((label + Number((i * run) % 3 === 0)) % 100)] = 1;
      for (const _ of writePredictions(store, run, { ...some, probabilities: own }, fixture.home));
    }
    for (const { id: run } of store.runs.list({})) {
      store.runs.stopQueued(run);
    }
  });
  store.close();
  service = await open(fixture, 'own');
}, 120_000);
afterAll(async () => {
  await service.close();
  fixture.remove();
});

const calls: [CallName, unknown][] = [
  ['datasets.list', {}],
  ['datasets.samples', { dataset: 'd' }],
  ['datasets.samples', { dataset: 'd', label: 7, split: 'test', offset: 100 }],
  ['datasets.samples', { dataset: 'd', offset: 99_800 }],
  ['datasets.samples', { dataset: 'd', run: 1, outcome: 'wrong', order: 'loss' }],
  ['datasets.samples', { dataset: 'd', run: 1, part: 'unused', label: 3 }],
  ['runs.list', {}],
  ['runs.list', { status: 'running' }],
  ['runs.get', { run: 5000 }],
  ['runs.metrics', { run: 1, afterStep: 19_000 }],
  ['runs.predictions', { run: 1, label: 3, wrongOnly: true }],
  ['runs.predictions', { run: 1, offset: 19_800 }],
  ['runs.predictions', { run: 1, order: 'loss', offset: 19_800 }],
  ['runs.evaluation', { run: 1 }],
];

test.each(calls)(`%s %j takes under 50 ms with ${images} images and ${runs} runs`, async (name, input) => {
  expect(await cpuMilliseconds(() => service.call(name, input as CallInput<typeof name>))).toBeLessThan(50);
});

test('a page of runs is at most 1,000, and pages together are all of them', async () => {
  expect(await service.call('runs.list', {})).toHaveLength(1000);
  expect((await service.call('runs.list', { before: 4, limit: 2 })).map(({ id }) => id)).toEqual([3, 2]);
  const all = await allRuns(service);
  expect(all.map(({ id }) => id)).toEqual(Array.from({ length: runs }, (_, index) => runs - index));
});

test('comparing 48 runs of 2,000 images takes under 300 ms', async () => {
  expect(await cpuMilliseconds(() => service.call('runs.compare', { runs: compared }))).toBeLessThan(300);
});

test('a block of predictions of 1,000 classes keeps the service for under 50 ms', () => {
  const store = openStore(join(fixture.root, 'blocks.sqlite'));
  const { runs, predicted } = addRuns(store, 3000, 1000, 1);
  const turns: number[] = [];
  const writing = writePredictions(store, runs[0], predicted, fixture.root);
  for (let done = false; !done; ) {
    const before = process.cpuUsage();
    done = writing.next().done ?? false;
    const { user, system } = process.cpuUsage(before);
    turns.push((user + system) / 1000);
  }
  store.close();
  expect(turns.length).toBeGreaterThan(20);
  // But for one, in which the database may move what was written to its place.
  expect(turns.toSorted((a, b) => b - a)[1]).toBeLessThan(50);
});
