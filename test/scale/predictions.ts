/**
 * Measures predictions of 100,000 images in 1,000 classes: how long the service keeps every other call waiting while they are written,
 * listed, filtered, evaluated and compared, and the memory that it takes. Run it with:
 *
 *   node_modules/.bin/node test/scale/predictions.ts [IMAGES] [CLASSES]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { addRuns } from '../../src-main/service/bench-store-rows.ts';
import { openService } from '../../src-main/service/service.ts';
import { takePredictions } from '../../src-main/service/take-predictions.ts';
import { openStore } from '../../src-main/store/store.ts';

const [images = 100_000, classes = 1000] = process.argv.slice(2).map(Number);
const home = mkdtempSync(join(tmpdir(), 'cotune-predictions-'));
const path = join(home, 'cotune.sqlite');
const setup = openStore(path);
const { runs } = addRuns(setup, images, classes, 2);
setup.close();
globalThis.gc?.();
const spawnNothing = () => {
  throw new Error('Nothing is trained here.');
};
const service = await openService({ home, spawnTrainer: spawnNothing, queue: 'own' });
const store = openStore(path);
const [one, other] = runs;

let peak = 0;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 50);

/** How long a small call takes meanwhile, at worst, in milliseconds. */
async function beside<T>(what: string, work: () => Promise<T>): Promise<void> {
  let done = false;
  let worst = 0;
  const asking = (async () => {
    while (!done) {
      const from = performance.now();
      await turn();
      await service.call('runs.get', { run: one });
      worst = Math.max(worst, performance.now() - from);
    }
  })();
  const from = performance.now();
  await work();
  done = true;
  await asking;
  const ms = (value: number) => `${value.toFixed(0).padStart(7)} ms`;
  console.log(`${what.padEnd(44)} ${ms(performance.now() - from)}, others wait at most ${ms(worst)}`);
}

const samples = store.samples.all(1).map(({ id, label }) => ({ id, label }));
const labels = new Map(samples.map(({ id, label }) => [id, label]));

/** Blocks as a trainer tells them: right two times of three, as sure as chance has it. */
async function write(run: number): Promise<void> {
  const folder = join(home, 'runs', String(run));
  mkdirSync(folder, { recursive: true });
  const predictions = takePredictions(store, {
    id: run,
    folder,
    labelOf: (sample) => labels.get(sample)!,
    toStored: (file) => file,
  });
  const rows = Math.max(1, Math.floor(2 ** 17 / classes));
  for (let first = 0; first < images; first += rows) {
    const some = samples.slice(first, first + rows);
    const probabilities = new Float32Array(some.length * classes);
    for (const [i, { id, label }] of some.entries()) {
      const sure = 0.2 + 0.7 * (((id * 7919) % 1000) / 1000);
      probabilities.fill((1 - sure) / (classes - 1), i * classes, (i + 1) * classes);
      probabilities[i * classes + ((label + Number((id + run) % 3 === 0)) % classes)] = sure;
    }
    const sampleIds = Int32Array.from(some, ({ id }) => id);
    predictions.take({ split: 'test', first, total: images, sampleIds, probabilities }, store.transaction);
    await turn();
  }
  await predictions.settle();
}

console.log(`${images} images, ${classes} classes`);
await beside('first run written', () => write(one));
await beside('second run written', () => write(other));
const lists = {
  'listed by loss': { order: 'loss' },
  'listed by loss, wrong ones': { order: 'loss', wrongOnly: true },
  'listed by loss, one class': { order: 'loss', label: 7 },
  'the last by confidence': { order: 'confidence', offset: images - 200 },
  'listed by class, the last': { offset: images - 200 },
} as const;
for (const [what, filter] of Object.entries(lists))
  await beside(what, () => service.call('runs.predictions', { run: one, ...filter }));
await beside('evaluated', () => service.call('runs.evaluation', { run: one }));
await beside('compared', () => service.call('runs.compare', { runs: [...runs] }));
await beside('compared in detail', () => service.call('runs.comparePair', { a: one, b: other }));
await beside('images that changed', () => service.call('runs.changes', { a: one, b: other, kind: 'fixed' }));
await beside('written as a table', () =>
  service.call('runs.export', {
    run: one,
    format: 'csv',
    path: join(tmpdir(), `cotune-table-${process.pid}.csv`),
  }),
);
rmSync(join(tmpdir(), `cotune-table-${process.pid}.csv`), { force: true });
clearInterval(watch);
console.log(`highest resident memory ${(peak / 2 ** 20).toFixed(0)} MiB`);
store.close();
await service.close();
rmSync(home, { recursive: true, force: true });
