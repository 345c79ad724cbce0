import { availableParallelism } from 'node:os';
import type { Preprocessing } from '../../src-shared/domain.ts';
import type { JobSample } from '../trainer/protocol.ts';
import { makeImagesInThread, poolSize } from './augment-pool.ts';
import { reserveCache } from './cache-budget.ts';
import { type ImageCache, type ImageSource, loadImage } from './image-cache.ts';
import { storedShorter } from './make-images.ts';
import { permutation, randomOf } from './random.ts';

interface TrainingBatch {
  /** [batch, size, size, 3], normalized; the caller's to keep. */
  images: Float32Array;
  labels: Int32Array;
}

export interface TrainingBatches {
  /** The next step's batch. Rejects with what `loadImage` throws, e.g. for a file that vanished since import. */
  next(): Promise<TrainingBatch>;
  /** Milliseconds that calls of `next` have waited for a batch that was not ready. */
  readonly waitedMs: number;
  close(): Promise<void>;
}

export interface TrainingOptions {
  samples: readonly JobSample[];
  batch: number;
  /** Side of the square crop in pixels. */
  size: number;
  preprocessing: Preprocessing;
  seed: number;
  /** First step wanted, from 0. */
  startStep: number;
  /** Step after the last one. */
  steps: number;
  cacheFolder: string;
  /** Images decoded so far, and images to decode, before the first step. */
  onProgress?: (done: number, total: number) => void;
}

export interface EvaluationOptions {
  samples: readonly JobSample[];
  batch: number;
  /** Side of the square crop in pixels. */
  size: number;
  preprocessing: Preprocessing;
  cacheFolder: string;
}

export interface EvaluationBatch extends TrainingBatch {
  /** Real images; the places after them are zero. */
  count: number;
}

/** Batches made ahead: one for each thread, and a reserve for a slow one. */
const ahead = poolSize + 2;

/**
 * Opens a run's training batches: random crops, mirrored half of the time. Every epoch is a fresh permutation of the
 * images; the rest of an epoch that fills no batch is dropped, and with fewer images than a batch has, epochs follow
 * each other within it. A batch follows from (seed, step) alone, so that a resumed run sees the very same. Resolves
 * when the images of these steps are decoded and threads have begun to make batches ahead.
 */
export async function openTrainingBatches(options: TrainingOptions): Promise<TrainingBatches> {
  const { samples, batch, size, preprocessing, seed, startStep, steps } = options;
  const cache = { folder: options.cacheFolder, shorter: storedShorter(size, preprocessing) };
  const indicesAt = batchOrder(samples.length, batch, seed);
  const used = indicesUsed(indicesAt, startStep, steps, samples.length);
  const { kept, missing } = await reserveCache(
    used.map((index) => samples[index]),
    cache,
  );
  await decodeAll(missing, cache, options.onProgress);

  const queue: Promise<TrainingBatch>[] = [];
  let planned = startStep;
  const plan = (): void => {
    for (; planned < steps && queue.length < ahead; planned++) {
      const chosen = Array.from(indicesAt(planned), (index) => samples[index]);
      const sources = chosen.map(({ path, hash }) => ({ path, hash, keep: kept.has(hash) }));
      const augment = { seed, step: planned };
      const making = makeImagesInThread({ sources, batch, cache, size, preprocessing, augment });
      queue.push(
        unheard(making.then((images) => ({ images, labels: Int32Array.from(chosen, ({ label }) => label) }))),
      );
    }
  };
  plan();
  let waitedMs = 0;
  return {
    get waitedMs() {
      return waitedMs;
    },
    async next() {
      const making = queue.shift();
      if (!making) throw new Error(`there is no batch after step ${steps}`);
      plan();
      const asked = performance.now();
      const made = await making;
      waitedMs += performance.now() - asked;
      return made;
    },
    async close() {
      planned = steps;
      await Promise.allSettled(queue.splice(0));
    },
  };
}

/**
 * The images of `samples` in order, as evaluation sees them: shorter side resized to ⌊size · resizeShorter /
 * inputSize⌋, center crop. The last batch is filled up with zeros. Threads are making the first ones when this resolves,
 * so that a program can be compiled meanwhile.
 */
export async function openEvaluationBatches(
  options: EvaluationOptions,
): Promise<AsyncGenerator<EvaluationBatch, void>> {
  const { samples, batch, size, preprocessing, cacheFolder } = options;
  const cache = { folder: cacheFolder, shorter: storedShorter(size, preprocessing) };
  const { kept } = await reserveCache(samples, cache);
  const queue: Promise<EvaluationBatch>[] = [];
  let at = 0;
  const plan = (): void => {
    for (; at < samples.length && queue.length < ahead; at += batch) {
      const chosen = samples.slice(at, at + batch);
      const sources = chosen.map(({ path, hash }) => ({ path, hash, keep: kept.has(hash) }));
      const making = makeImagesInThread({ sources, batch, cache, size, preprocessing, augment: null });
      const labels = new Int32Array(batch);
      labels.set(chosen.map(({ label }) => label));
      queue.push(unheard(making.then((images) => ({ images, labels, count: chosen.length }))));
    }
  };
  plan();
  return (async function* () {
    for (let made = queue.shift(); made; made = queue.shift()) {
      plan();
      yield await made;
    }
  })();
}

/** A promise whose failure is for whoever awaits it, in its turn; nobody may ever. */
function unheard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Which samples are in the batch of a step. */
function batchOrder(samples: number, batch: number, seed: number): (step: number) => Int32Array {
  const epochs = new Map<number, Int32Array>();
  const orderOf = (epoch: number): Int32Array => {
    const known = epochs.get(epoch);
    if (known) return known;
    const order = permutation(samples, randomOf(seed, 'order', epoch));
    if (epochs.size > 3) epochs.clear();
    epochs.set(epoch, order);
    return order;
  };
  if (samples < batch) {
    return (step) =>
      Int32Array.from({ length: batch }, (_, position) => {
        const drawn = step * batch + position;
        return orderOf(Math.floor(drawn / samples))[drawn % samples];
      });
  }
  const perEpoch = Math.floor(samples / batch);
  return (step) => {
    const first = (step % perEpoch) * batch;
    return orderOf(Math.floor(step / perEpoch)).subarray(first, first + batch);
  };
}

function indicesUsed(
  indicesAt: (step: number) => Int32Array,
  startStep: number,
  steps: number,
  samples: number,
): number[] {
  const used = new Set<number>();
  for (let step = startStep; step < steps && used.size < samples; step++) {
    for (const index of indicesAt(step)) used.add(index);
  }
  return [...used];
}

/** Decodes images into the cache, a few at a time. */
async function decodeAll(
  missing: readonly ImageSource[],
  cache: ImageCache,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  let next = 0;
  let done = 0;
  const decoder = async (): Promise<void> => {
    while (next < missing.length) {
      await loadImage(missing[next++], cache, true);
      onProgress?.(++done, missing.length);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, decoder));
}
