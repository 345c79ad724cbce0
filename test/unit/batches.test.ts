import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benchData } from '../../src-main/bench/data.ts';
import {
  openEvaluationBatches,
  openTrainingBatches,
  type TrainingOptions,
} from '../../src-main/data/batches.ts';
import { reserveCache } from '../../src-main/data/cache-budget.ts';
import { tenCrop } from '../../src-main/data/evaluations/ten-crop.ts';
import { leaveOut } from '../../src-main/data/unusable-images.ts';
import type { JobSample } from '../../src-main/trainer/protocol.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { jpeg, temporaryFolder } from './pictures.ts';

const preprocessing = {
  inputSize: 224,
  resizeShorter: 256,
  mean: [0.5, 0.5, 0.5] as [number, number, number],
  std: [0.25, 0.25, 0.25] as [number, number, number],
};
const size = 24;

/** `count` images of 96 × 72 in a folder, and their cache beside them. */
async function images(count: number) {
  const folder = temporaryFolder();
  const samples: JobSample[] = [];
  for (let index = 0; index < count; index++) {
    const bytes = await jpeg(index);
    const path = join(folder, `${index}.jpg`);
    writeFileSync(path, bytes);
    samples.push({
      id: index,
      path,
      hash: createHash('sha256').update(bytes).digest('hex'),
      label: index % 3,
    });
  }
  const cacheFolder = join(folder, 'cache');
  mkdirSync(cacheFolder);
  const options: TrainingOptions = {
    samples,
    batch: 4,
    size,
    preprocessing,
    seed: 7,
    startStep: 0,
    steps: 6,
    cacheFolder,
  };
  return { folder, samples, cacheFolder, options };
}

async function take(options: TrainingOptions) {
  const batches = await openTrainingBatches(options);
  const taken = [];
  for (let step = options.startStep; step < options.steps; step++) taken.push(await batches.next());
  await batches.close();
  return taken;
}

async function evaluated(samples: JobSample[], cacheFolder: string, batch = 4) {
  const all = [];
  for await (const one of await openEvaluationBatches({ samples, batch, size, preprocessing, cacheFolder }))
    all.push(one);
  return all;
}

const cached = (folder: string) => globSync('pixels/*/*/*', { cwd: folder }).toSorted();

test('a batch follows from seed and step: a resumed run sees the very same, cold or from the cache', async () => {
  const { options } = await images(10);
  const whole = await take(options);
  expect(whole).toHaveLength(6);
  expect(whole[0].images).toHaveLength(4 * size * size * 3);
  const resumed = await take({ ...options, startStep: 3 });
  expect(resumed).toEqual(whole.slice(3));
  const [other] = await take({ ...options, seed: 8, steps: 1 });
  expect(other.images).not.toEqual(whole[0].images);
  expect(whole[0].images).not.toEqual(whole[1].images);
});

test.each([
  ['crops of the paper’s scale', { crop: { name: 'random-crop', scale: [0.08, 1] } }],
  ['fixed crops', { crop: { name: 'fixed-crop' } }],
  ['jittered colors', { augment: [{ name: 'color-jitter' }] }],
  ['changed shapes', { augment: [{ name: 'trivial-augment' }] }],
  ['erased parts', { augment: [{ name: 'random-erasing', probability: 1, value: 'noise' }] }],
  ['balanced classes', { sampling: { name: 'class-balanced' } }],
])('the same holds for %s, which change what is seen', async (_, more) => {
  const { options } = await images(10);
  const whole = await take({ ...options, ...more });
  expect(await take({ ...options, ...more, startStep: 3 })).toEqual(whole.slice(3));
  expect(whole).not.toEqual(await take(options));
});

test('an epoch shows every image at most once, in an order of its own; what fills no batch is dropped', async () => {
  const { options, samples } = await images(10);
  const labelled = samples.map((sample, index) => ({ ...sample, label: index }));
  const taken = await take({ ...options, samples: labelled });
  const epochs = [0, 2, 4].map((step) => [...taken[step].labels, ...taken[step + 1].labels]);
  for (const epoch of epochs) expect(new Set(epoch).size).toBe(8);
  expect(new Set(epochs.map(String)).size).toBe(3);
});

test('fewer images than a batch: epochs follow each other within it', async () => {
  const { options, samples } = await images(3);
  const labelled = samples.map((sample, index) => ({ ...sample, label: index }));
  const taken = await take({ ...options, samples: labelled, batch: 8, steps: 3 });
  const labels = taken.flatMap((batch) => [...batch.labels]);
  for (let at = 0; at < 24; at += 3) expect(labels.slice(at, at + 3).toSorted()).toEqual([0, 1, 2]);
});

test('asking for more batches than there are steps is refused', async () => {
  const { options } = await images(4);
  const batches = await openTrainingBatches({ ...options, steps: 1 });
  await batches.next();
  await expect(batches.next()).rejects.toThrow('no batch after step 1');
  expect(batches.waitedMs).toBeGreaterThanOrEqual(0);
  await batches.close();
});

test('ten crops of an image follow each other: corners and middle, then the same mirrored', async () => {
  const { samples, cacheFolder } = await images(2);
  const options = { samples, batch: 4, size, preprocessing, cacheFolder };
  const [center] = await evaluated(samples, cacheFolder, 2);
  const views = [];
  for await (const { images: pixels, count } of await openEvaluationBatches({
    ...options,
    views: tenCrop.views,
  }))
    for (let i = 0; i < count; i++)
      views.push(pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3));
  expect(views).toHaveLength(20);
  expect(views[4]).toEqual(center.images.subarray(0, size * size * 3));
  expect(views[14]).toEqual(center.images.subarray(size * size * 3));
  // Mirrored, the upper left corner is the upper right one of the picture.
  for (const [view, of] of [
    [5, 1],
    [6, 0],
    [9, 4],
  ])
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        expect(views[view][(y * size + x) * 3]).toBe(views[of][(y * size + size - 1 - x) * 3]);
  expect(new Set(views.slice(0, 10).map(String)).size).toBe(10);
});

test('evaluation keeps the order and fills the last batch with zeros', async () => {
  const { samples, cacheFolder } = await images(6);
  const batches = await evaluated(samples, cacheFolder);
  expect(batches.map(({ count }) => count)).toEqual([4, 2]);
  expect([...batches[1].labels]).toEqual([1, 2, 0, 0]);
  const rest = batches[1].images.subarray(2 * size * size * 3);
  expect(rest.every((value) => value === 0)).toBe(true);
  const reversed = await evaluated(samples.toReversed(), cacheFolder, 6);
  const image = size * size * 3;
  expect(reversed[0].images.slice(5 * image)).toEqual(batches[0].images.slice(0, image));
  expect(await evaluated([], cacheFolder)).toEqual([]);
});

test('evaluation may be left early', async () => {
  const { samples, cacheFolder } = await images(6);
  for await (const { count } of await openEvaluationBatches({
    samples,
    batch: 2,
    size,
    preprocessing,
    cacheFolder,
  })) {
    expect(count).toBe(2);
    break;
  }
});

test('images are decoded once: with the cache the files are not needed any more', async () => {
  const { options, samples, cacheFolder } = await images(8);
  const first = await take(options);
  expect(cached(cacheFolder)).toHaveLength(8);
  const plain = await evaluated(samples, cacheFolder);
  for (const { path } of samples) rmSync(path);
  expect(await take(options)).toEqual(first);
  expect(await evaluated(samples, cacheFolder)).toEqual(plain);
});

test('a damaged cache entry is noticed and made again', async () => {
  const { samples, cacheFolder } = await images(5);
  const before = await evaluated(samples, cacheFolder);
  const [cut, empty, other, flipped] = cached(cacheFolder).map((path) => join(cacheFolder, path));
  truncateSync(cut, 500);
  truncateSync(empty, 0);
  writeFileSync(other, 'something else');
  const bytes = readFileSync(flipped);
  bytes[1000] ^= 1;
  writeFileSync(flipped, bytes);
  expect(await evaluated(samples, cacheFolder)).toEqual(before);
  const sizes = [cut, empty, other].map((path) => readFileSync(path).length);
  expect(new Set(sizes)).toEqual(new Set([bytes.length]));
});

test('a file that vanished, changed or broke since import ends the run with its path', async () => {
  const { options, samples, cacheFolder } = await images(6);
  const path = samples[2].path;
  const original = readFileSync(path);
  rmSync(path);
  await expect(openTrainingBatches(options)).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining(path),
  });
  await expect(evaluated(samples.slice(2), cacheFolder)).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining(path),
  });
  writeFileSync(path, await jpeg(99));
  await expect(openTrainingBatches(options)).rejects.toMatchObject({
    code: 'bad-input',
    message: `The image ${path} has changed since it was imported.`,
  });
  const broken = original.subarray(0, original.length / 2);
  writeFileSync(path, broken);
  const hash = createHash('sha256').update(broken).digest('hex');
  await expect(evaluated([{ ...samples[2], hash }], cacheFolder)).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('cut off'),
  });
});

test('an image that cannot be used is left out: training sees others of its class in its place, evaluation does not count it', async () => {
  const { options, samples, cacheFolder } = await images(30);
  const whole = await take({ ...options, steps: 12 });
  rmSync(cacheFolder, { recursive: true });
  mkdirSync(cacheFolder);
  const [gone, broken] = [samples[4], samples[7]];
  rmSync(gone.path);
  truncateSync(broken.path, 300);
  const told: string[] = [];
  const trained = (startStep: number) =>
    take({
      ...options,
      startStep,
      steps: 12,
      unusable: leaveOut(samples, { tell: (note) => told.push(note) }),
    });
  const without = await trained(0);
  expect(told.sort()).toEqual([
    `The image ${gone.path} is no longer there. It is left out.`,
    `The image ${broken.path} has changed since it was imported. It is left out.`,
  ]);
  const image = size * size * 3;
  let replaced = 0;
  for (const [step, { images: seen, labels }] of without.entries()) {
    expect(labels).toEqual(whole[step].labels);
    for (let place = 0; place < 4; place++) {
      const [now, before] = [seen, whole[step].images].map((all) =>
        all.subarray(place * image, (place + 1) * image),
      );
      expect(now.some((value) => value !== 0)).toBe(true);
      if (now.some((value, at) => value !== before[at])) replaced++;
    }
  }
  expect(replaced).toBeGreaterThan(0);
  // Two of thirty.
  expect(replaced).toBeLessThan(10);
  // The same again, from any step on.
  expect(await trained(5)).toEqual(without.slice(5));

  const unusable = leaveOut(samples);
  const found: number[][] = [];
  for await (const one of await openEvaluationBatches({
    ...{ samples, batch: 10, size, preprocessing, cacheFolder, unusable },
  }))
    found.push(one.unusable.sort());
  expect(found).toEqual([[4, 7], [], []]);
  expect(unusable.notes().sort()).toEqual([
    '2 of 30 images are left out, which can no longer be used.',
    ...told.slice(0, 2).map((note) => note.replace(' It is left out.', '')),
  ]);
});

test('too many images that cannot be used, or all of a class, end the work', async () => {
  const { options, samples } = await images(12);
  const trained = () => take({ ...options, unusable: leaveOut(samples) });
  for (const index of [0, 1]) rmSync(samples[index].path);
  await expect(trained()).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(/^2 of 12 images can no longer be used, too many.* is no longer there\.$/),
  });
  const one = samples.map((sample, index) => ({ ...sample, label: Number(index === 0) }));
  const more = one.map(({ path }) => ({ path: `${path} again`, label: 0 }));
  const unusable = leaveOut([...one, ...more]);
  await expect(take({ ...options, samples: one, unusable })).rejects.toThrow(
    /^No image of a class can be used any more\. The image .* is no longer there/,
  );
  // Another class, and images that are only evaluated, do not count.
  const evaluated = leaveOut(one, { learned: one.slice(1) });
  evaluated.add(one[0].path, new CotuneError('not-found', 'It is gone.'));
  expect(evaluated.has(one[0].path)).toBe(true);
});

test('a cache over its budget gives up what was used least recently; what exceeds it alone is not stored', async () => {
  const { samples, cacheFolder } = await images(6);
  await evaluated(samples, cacheFolder);
  const shorter = 2 * size;
  const cache = { folder: cacheFolder, shorter };
  const bytes = readFileSync(join(cacheFolder, cached(cacheFolder)[0])).length;
  const ofSample = ({ hash }: JobSample) =>
    join(cacheFolder, 'pixels', String(shorter), hash.slice(0, 2), `${hash}.rgb`);
  for (const [index, sample] of samples.entries()) {
    const used = new Date(Date.now() - (6 - index) * 60_000);
    utimesSync(ofSample(sample), used, used);
  }
  const fresh = { path: 'x.jpg', hash: 'f'.repeat(64) };
  const { missing } = await reserveCache([samples[0], fresh], cache, 4 * bytes);
  expect(missing).toEqual([fresh]);
  const left = samples.filter((sample) => cached(cacheFolder).some((path) => path.includes(sample.hash)));
  expect(left.map(({ id }) => id)).toEqual([0, 4, 5]);

  const many = Array.from({ length: 9 }, (_, index) => ({ path: 'x', hash: `${index}`.repeat(64) }));
  const { kept } = await reserveCache(many, cache, 4 * bytes);
  expect(kept.size).toBe(4);
});

test('the bench measures what it says', async () => {
  const { samples, cacheFolder } = await images(8);
  const bench = await benchData({ samples, batch: 4, size, steps: 3, preprocessing, cacheFolder });
  expect(bench.images).toBe(8);
  const { warm_images_per_s: warm, ...rest } = bench;
  for (const value of [...Object.values(rest), warm.low]) expect(value).toBeGreaterThan(0);
  expect(warm.low).toBeLessThanOrEqual(warm.median);
  expect(globSync('bench-*', { cwd: cacheFolder })).toEqual([]);
});
