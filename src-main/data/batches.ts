import { availableParallelism } from 'node:os';
import type { Part, Preprocessing } from '../../src-shared/domain.ts';
import { CotuneError, type ErrorValue } from '../../src-shared/errors.ts';
import type { JobSample } from '../trainer/protocol.ts';
import { chosenFrom } from '../transfer/part.ts';
import { makeImagesInThread, poolSize } from './augment-pool.ts';
import { reserveCache } from './cache-budget.ts';
import type { View } from './evaluation.ts';
import { evaluations } from './evaluations/index.ts';
import { loadImage } from './image-cache.ts';
import { permutation, randomOf } from './random.ts';
import { samplings } from './samplings/index.ts';
import { type ImageCache, type ImageSource, storedShorter } from './stored-images.ts';
import { trainingCrops } from './training-crops/index.ts';
import { everyImage, type UnusableImages } from './unusable-images.ts';

interface TrainingBatch {
  /** [batch, size, size, 3], normalized; the caller's to keep. */
  images: Float32Array;
  labels: Int32Array;
  /** Other crops of the same images, where a second view was asked for. */
  secondView?: Float32Array;
}

export interface TrainingBatches {
  /** The next step's batch. Rejects where too many images, or all of a class, turned out to be unusable. */
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
  /** What is seen of each image, what is changed in it at random, which images a batch is made of; plain where left out. */
  crop?: Part;
  augment?: readonly Part[];
  sampling?: Part;
  cacheFolder: string;
  /** What becomes of images that cannot be used; the first ends the work where left out. */
  unusable?: UnusableImages;
  /** Whether each image comes in a second random view besides. */
  secondView?: boolean;
  /** Images decoded so far, and images to decode, before the first step. */
  onProgress?: (done: number, total: number) => void;
}

export interface EvaluationOptions {
  samples: readonly JobSample[];
  batch: number;
  /** Side of the square crop in pixels. */
  size: number;
  preprocessing: Preprocessing;
  /** Crops of each image, which follow each other; the center crop alone where left out. */
  views?: readonly View[];
  cacheFolder: string;
  /** What becomes of images that cannot be used; the first ends the work where left out. */
  unusable?: UnusableImages;
}

export interface EvaluationBatch extends TrainingBatch {
  /** Real images; the places after them are zero. */
  count: number;
  /** Places of images that could not be used, which are zero. */
  unusable: number[];
}

/** Batches made ahead: one for each thread, and a reserve for a slow one. */
const ahead = poolSize + 2;

/**
 * Opens a run's training batches, which images by `sampling`, seen by `crop` and changed by `augment`. A batch follows from (seed, step) alone, so that a resumed run sees the very same. In the place of an image that
 * cannot be used another of its class is seen, which follows from (seed, step, place) and from which of the class can be used. Resolves
 * when the images of these steps are decoded and threads have begun to make batches ahead.
 */
export async function openTrainingBatches(options: TrainingOptions): Promise<TrainingBatches> {
  const { samples, batch, size, preprocessing, seed, startStep, steps } = options;
  const { crop = firstOf(trainingCrops), augment = [], sampling = firstOf(samplings) } = options;
  const { unusable = everyImage } = options;
  const cache = { folder: options.cacheFolder, shorter: storedShorter(size, preprocessing) };
  const labels = samples.map(({ label }) => label);
  const indicesAt = chosenFrom(samplings, sampling).part.order(labels, batch, seed);
  const used = indicesUsed(indicesAt, startStep, steps, samples.length);
  const { kept, missing } = await reserveCache(
    used.map((index) => samples[index]),
    cache,
  );
  await decodeAll(missing, cache, unusable, options.onProgress);

  async function make(step: number): Promise<TrainingBatch> {
    for (;;) {
      const chosen = samplesAt(step, indicesAt(step), { samples, unusable, seed });
      const sources = chosen.map(({ path, hash, place }) => ({ path, hash, place, keep: kept.has(hash) }));
      const views = await Promise.all(
        Array.from({ length: options.secondView ? 2 : 1 }, (_, view) => {
          const see = { seed, step, second: view > 0, crop, augment };
          return makeImagesInThread({ sources, batch, cache, size, preprocessing, see });
        }),
      );
      const failures = views.flatMap((view) => view.failures);
      if (failures.length === 0) {
        const [{ images }, second] = views;
        return { images, labels: Int32Array.from(chosen, ({ label }) => label), secondView: second?.images };
      }
      for (const { position, error } of failures) unusable.add(chosen[position].path, thrown(error));
    }
  }

  const queue: Promise<TrainingBatch>[] = [];
  let planned = startStep;
  const plan = (): void => {
    for (; planned < steps && queue.length < ahead; planned++) queue.push(unheard(make(planned)));
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
 * The images of `samples` in order, as evaluation sees them: resized as the preprocessing says, then each view. The last batch is filled up with zeros. Threads are making the first ones when this resolves,
 * so that a program can be compiled meanwhile.
 */
export async function openEvaluationBatches(
  options: EvaluationOptions,
): Promise<AsyncGenerator<EvaluationBatch, void>> {
  const { samples, batch, size, preprocessing, cacheFolder, views = evaluations[0].views } = options;
  const { unusable = everyImage } = options;
  const cache = { folder: cacheFolder, shorter: storedShorter(size, preprocessing) };
  const { kept } = await reserveCache(samples, cache);
  const wanted = samples.flatMap((sample) => views.map((view) => ({ sample, view })));
  const queue: Promise<EvaluationBatch>[] = [];
  let at = 0;
  const plan = (): void => {
    for (; at < wanted.length && queue.length < ahead; at += batch) {
      const chosen = wanted.slice(at, at + batch);
      const sources = chosen.map(({ sample: { path, hash, place } }) => ({
        ...{ path, hash, place },
        keep: kept.has(hash),
      }));
      const see = { views: chosen.map(({ view }) => view) };
      const making = makeImagesInThread({ sources, batch, cache, size, preprocessing, see });
      const labels = new Int32Array(batch);
      labels.set(chosen.map(({ sample }) => sample.label));
      const made = making.then(({ images, failures }) => {
        for (const { position, error } of failures) unusable.add(chosen[position].sample.path, thrown(error));
        return { images, labels, count: chosen.length, unusable: failures.map(({ position }) => position) };
      });
      queue.push(unheard(made));
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

const firstOf = ([first]: readonly { name: string }[]): Part => ({ name: first.name });

/** The samples of a step's batch: in the place of one that cannot be used another of its class. */
export const samplesAt = (
  step: number,
  indices: Int32Array,
  { samples, unusable, seed }: { samples: readonly JobSample[]; unusable: UnusableImages; seed: number },
): JobSample[] =>
  Array.from(indices, (index, position) => {
    const sample = samples[index];
    return unusable.has(sample.path) ? substitute(samples, sample, unusable, seed, step, position) : sample;
  });

/** Another image of a sample's class, by (seed, step, place): one of every class is never left out. */
function substitute(
  samples: readonly JobSample[],
  { label }: JobSample,
  unusable: UnusableImages,
  seed: number,
  step: number,
  place: number,
): JobSample {
  const alike = samples.filter((sample) => sample.label === label);
  // In a whole order drawn at once: which of them are known to be unusable by now does not change what is found.
  const order = permutation(alike.length, randomOf(seed, 'substitute', step, place));
  return alike[order.find((at) => !unusable.has(alike[at].path))!];
}

const thrown = ({ code, message, hint }: ErrorValue): CotuneError => new CotuneError(code, message, hint);

/** A promise whose failure is for whoever awaits it, in its turn; nobody may ever. */
function unheard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
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
  unusable: UnusableImages,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  let next = 0;
  let done = 0;
  const decoder = async (): Promise<void> => {
    while (next < missing.length) {
      const source = missing[next++];
      await loadImage(source, cache, true).catch((error: unknown) => unusable.add(source.path, error));
      onProgress?.(++done, missing.length);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, decoder));
}
