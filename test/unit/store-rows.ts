import type { NewDataset } from '../../src-main/store/datasets.ts';
import type { NewRun } from '../../src-main/store/runs.ts';
import type { NewSample } from '../../src-main/store/samples.ts';
import type { Store } from '../../src-main/store/store.ts';
import { usualConfig } from '../usual-config.ts';

/** Rows for tests of the store. */
export const config = usualConfig;

export const dataset = (name: string, classes: string[] = ['a', 'b']): NewDataset => ({
  name,
  task: 'image-classification',
  path: `/data/${name}`,
  file: null,
  format: null,
  hash: 'h',
  seed: 0,
  classes,
  counts: { train: 0, val: 0, test: 0 },
  classCounts: classes.map(() => ({ train: 0, val: 0, test: 0 })),
  notes: [],
  importedAt: '2026-01-01T00:00:00.000Z',
  choice: null,
});

export const sample = (path: string, label = 0, hash = path): NewSample => ({
  path,
  label,
  split: 'train',
  width: 10,
  height: 20,
  bytes: 300,
  hash,
  perceptualHash: '0123456789abcdef',
  stamp: null,
  locator: null,
  group: null,
});

export function addModel(store: Store, name = 'm', hash = 'mh'): number {
  return store.models.insert({
    name,
    hash,
    architecture: 'resnet18',
    padding: 'symmetric',
    batchNormEpsilon: 1e-5,
    preprocessing: { inputSize: 224, resizeShorter: 256, mean: [0, 0, 0], std: [1, 1, 1] },
    sourceClasses: ['s0', 's1', 's2'],
    temperature: null,
    parameters: 10,
    origin: '',
    notes: [],
    addedAt: '2026-01-01T00:00:00.000Z',
  });
}

export function newRun(store: Store): NewRun {
  const datasetId = store.datasets.getByName('d')?.id ?? store.datasets.insert(dataset('d'));
  const modelId = store.models.getByName('m')?.id ?? addModel(store);
  return {
    task: 'image-classification',
    config,
    datasetId,
    modelId,
    experimentId: null,
    editsHash: null,
    datasetHash: 'h',
    modelHash: 'mh',
    splitHash: 's',
    samples: { train: 1, val: 0, test: 1 },
    targetClasses: ['a', 'b'],
  };
}
