import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../store/store.ts';
import { predictionBlocks } from '../trainer/report-predictions.ts';
import { resolveRunConfig } from './run-config.ts';
import { takePredictions } from './take-predictions.ts';

/** What a training step writes down: as many curves as a co-tuning run has. */
export const curvesOf = (step: number): Record<string, number> => ({
  loss: 1 / step,
  target_loss: 0.5 / step,
  source_loss: 0.5 / step,
  train_accuracy: 1 - 1 / step,
  lr: 0.001,
  images_per_s: 100,
});

/** Adds a made-up dataset of `images` test images in `targets` classes, a model, and `count` runs on them. */
export function addRuns(store: Store, images: number, targets: number, count: number) {
  const now = new Date().toISOString();
  const classes = Array.from({ length: targets }, (_, label) => `class ${label}`);
  const datasetId = store.datasets.insert({
    name: 'bench',
    task: 'image-classification',
    path: 'bench',
    file: null,
    format: null,
    hash: 'dataset',
    seed: 0,
    classes,
    counts: { train: 0, val: 0, test: images },
    classCounts: classes.map(() => ({ train: 0, val: 0, test: 0 })),
    notes: [],
    importedAt: now,
    choice: null,
  });
  const modelId = store.models.insert({
    name: 'bench',
    hash: 'model',
    architecture: 'resnet50',
    padding: 'symmetric',
    batchNormEpsilon: 1e-5,
    preprocessing: { inputSize: 224, resizeShorter: 256, mean: [0, 0, 0], std: [1, 1, 1] },
    sourceClasses: classes,
    temperature: null,
    parameters: 1,
    origin: '',
    notes: [],
    addedAt: now,
  });
  store.samples.replace(
    datasetId,
    Array.from({ length: images }, (_, index) => ({
      path: `${classes[index % targets]}/${index}.jpg`,
      label: index % targets,
      split: 'test' as const,
      width: 640,
      height: 480,
      bytes: 100_000,
      hash: `image ${index}`,
      perceptualHash: '0'.repeat(16),
      stamp: null,
      locator: null,
      group: null,
    })),
  );
  const request = { dataset: 'bench', model: 'bench', method: 'cotuning' } as const;
  const { config } = resolveRunConfig(
    request,
    store.datasets.get(datasetId)!,
    store.models.get(modelId)!,
    images,
  );
  const runs = Array.from({ length: count }, (_, seed) =>
    store.runs.insert({
      task: 'image-classification',
      config: { ...config, seed },
      datasetId,
      modelId,
      experimentId: null,
      datasetHash: 'dataset',
      editsHash: null,
      modelHash: 'model',
      splitHash: 'split',
      samples: { train: 0, val: 0, test: images },
      targetClasses: classes,
    }),
  );
  return { runs, predicted: predictionsOf(store, datasetId, targets) };
}

/** Class probabilities, row-major [samples, targets], and what they belong to. */
interface Predicted {
  sampleIds: Int32Array;
  labels: Int32Array;
  probabilities: Float32Array;
}

/** The same distribution over the classes for every image. */
function predictionsOf(store: Store, dataset: number, targets: number): Predicted {
  const samples = store.samples.all(dataset);
  return {
    sampleIds: Int32Array.from(samples, ({ id }) => id),
    labels: Int32Array.from(samples, ({ label }) => label),
    probabilities: new Float32Array(samples.length * targets).fill(1 / targets),
  };
}

/** Writes a run's test predictions as a recorder does, in turns, their file below `folder`. */
export function* writePredictions(
  store: Store,
  run: number,
  { sampleIds, labels, probabilities }: Predicted,
  folder: string,
): Generator<void> {
  const known = new Map(Array.from(sampleIds, (id, at) => [id, labels[at]]));
  const own = join(folder, String(run));
  mkdirSync(own, { recursive: true });
  const predictions = takePredictions(store, {
    id: run,
    folder: own,
    labelOf: (sample) => known.get(sample)!,
    toStored: (path) => path,
  });
  for (const block of predictionBlocks('test', sampleIds, probabilities)) {
    predictions.take(block, store.transaction);
    yield;
  }
}
