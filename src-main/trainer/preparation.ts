import { openEvaluationBatches } from '../data/batches.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import { openContentCache } from '../formats/content-cache.ts';
import { packArrays, unpackArrays } from '../formats/packed-arrays.ts';
import { taskOf } from '../tasks/index.ts';
import type { Network } from '../transfer/network.ts';
import type { Preparation } from '../transfer/term.ts';
import { preparationKey } from './content-keys.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';

/** Bytes: the Fisher information of ten large networks. */
const cacheLimit = 4 * 2 ** 30;

export interface PreparationTools {
  engine: Engine;
  network: Network;
  pretrained: Network;
  /** The pre-trained weights, read once. */
  weights: () => Arrays;
  relationship: Preparation['relationship'];
  features: Preparation['features'];
  unusable: UnusableImages;
}

/** What one term can make before training, by the run's engine, images and weights. */
export function preparationFor(
  term: string,
  { engine, network, pretrained, weights, relationship, features, unusable }: PreparationTools,
  job: TrainJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Preparation {
  const { config, model, samples, targetClasses, cacheFolder } = job;
  const { batch, size, seed, steps, precision } = config;
  const task = taskOf(job.task);
  const labels = task.labelsOf(samples.train, job.classNames);
  const pixels = 'preprocessing' in model ? model.preprocessing : null;
  return {
    network,
    pretrained,
    seed,
    steps,
    ownSize: pixels?.inputSize ?? size,
    batch,
    size,
    labels,
    trainingImages: countsOf(labels, network.targetClasses),
    weights,
    relationship,
    features,
    note: (text) => report({ type: 'note', text }),
    async *images(places, atOnce) {
      const chosen = places.map((place) => samples.train[place]);
      const images = { size, preprocessing: pixels!, cacheFolder, unusable };
      yield* await openEvaluationBatches({ samples: chosen, batch: atOnce, ...images });
    },
    rows: (places) => task.openRows(places, { ...job, unusable }),
    compile: (program, constants = {}) => engine.compile(program, { constants, yields: true }),
    async kept(origin, make) {
      const cache = openContentCache(cacheFolder, 'prepared', cacheLimit);
      const key = preparationKey({
        term,
        origin,
        model,
        engine: engine.info,
        precision,
        samples: samples.train,
        targetClasses,
        size,
        batch,
      });
      const packed = await cache.getOrMake(
        key,
        async () => packArrays((await make()) as Record<string, Float32Array>),
        // The key names every image.
        () => !samples.train.some(({ path }) => unusable.has(path)),
      );
      return unpackArrays(packed);
    },
    progress(done, total) {
      signal.throwIfAborted();
      report({ type: 'progress', phase: 'prepare', done, total });
    },
  };
}

function countsOf(labels: readonly number[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}
