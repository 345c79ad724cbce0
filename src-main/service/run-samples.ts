import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Dataset, Model, Run, RunConfig, Sample, Split } from '../../src-shared/domain.ts';
import { splits } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { alikeByPath } from '../data/alike.ts';
import { resizedBy } from '../data/resizes/index.ts';
import { splitSamples } from '../data/split.ts';
import type { NewRelationship } from '../store/relationships.ts';
import type { StampedSample } from '../store/samples.ts';
import type { Store } from '../store/store.ts';
import type { AnyModel, CheckFacts, JobModel, JobRelationship, JobSample } from '../trainer/protocol.ts';
import type { Home } from './home.ts';
import { readablePlace } from './image-places.ts';

/** Share of each class's training images set aside for validation where the dataset brings none. */
const valFraction = 0.2;

export interface RunSamples {
  samples: Record<Split, StampedSample[]>;
  /** SHA-256 over the (split, label, content, path) list: equal for runs that used the same images alike. */
  splitHash: string;
  notes: string[];
  /** Images of the dataset that show the same picture, by path. */
  alike: ReturnType<typeof alikeByPath>;
}

/**
 * How images are divided into training and validation. `copies`, the rule before, keeps equal files on one side; runs that
 * began under it go on under it.
 */
const divisions = ['alike', 'copies'] as const;

/** The images of one run. Errors: `bad-input` where there is nothing to train on. */
export function samplesForRun(
  store: Store,
  dataset: Dataset,
  rate: number,
  seed: number,
  division: (typeof divisions)[number] = 'alike',
): RunSamples {
  const { sample, samples: called } = taskNamed(dataset.task);
  const all = store.samples.all(dataset.id);
  const alike = alikeByPath(all, store.findings.duplicates(dataset.id));
  const { train, val, test, notes } = splitSamples(all, {
    ...{ rate, seed, valFraction, called, alike: division === 'alike' ? alike : undefined },
    groups: new Map(all.flatMap(({ path, group }) => (group === null ? [] : [[path, group] as const]))),
  });
  if (train.length === 0) {
    throw new CotuneError(
      'bad-input',
      `The dataset "${dataset.name}" has no training ${sample} at rate ${rate}.`,
      `Add ${called}, or use a higher rate.`,
    );
  }
  const samples = { train, val, test };
  const hash = createHash('sha256');
  for (const split of splits) {
    for (const sample of samples[split])
      hash.update(`${split}\t${sample.label}\t${sample.hash}\t${sample.path}\n`);
  }
  return { samples, splitHash: hash.digest('hex'), notes, alike };
}

/** The images of a run that may have begun under an earlier division; those of today's where neither gives its images. */
export function samplesOfRun(store: Store, dataset: Dataset, { config, splitHash }: Run): RunSamples {
  const { rate, seed } = config;
  for (const division of divisions) {
    const chosen = samplesForRun(store, dataset, rate, seed, division);
    if (chosen.splitHash === splitHash) return chosen;
  }
  return samplesForRun(store, dataset, rate, seed);
}

/** A sample as a trainer sees it. `folder` is the dataset's. */
export const jobSample = (home: Home, folder: string, sample: Omit<StampedSample, 'stamp'>): JobSample => {
  const { id, path, hash, label, locator, text } = sample;
  const place = locator && { place: readablePlace({ home }, folder, sample) };
  return { id, path: join(folder, path), hash, label, ...place, ...(text && { text }) };
};

/** Samples as a trainer sees them, by split; with what `check` says of each, where their labels are looked at. `folder` is the dataset's. */
export function jobSamples(
  home: Home,
  folder: string,
  samples: RunSamples['samples'],
  check?: (sample: StampedSample) => CheckFacts,
): Record<Split, JobSample[]> {
  const toJob = (sample: StampedSample) => ({
    ...jobSample(home, folder, sample),
    ...(check && { check: check(sample) }),
  });
  return { train: samples.train.map(toJob), val: samples.val.map(toJob), test: samples.test.map(toJob) };
}

/** What a check of labels knows of a dataset's images, beside their features. */
export const checkFactsOf =
  (alike: RunSamples['alike']) =>
  ({ path, perceptualHash, split }: Sample): CheckFacts => ({
    perceptualHash,
    alike: alike.get(path)?.key ?? null,
    trained: split === 'train',
  });

/** The images that a relationship is learned from, without some that could not be used. */
export const withoutSamples = ({ train, val }: RunSamples['samples'], left: ReadonlySet<number>) => ({
  train: train.filter(({ id }) => !left.has(id)),
  val: val.filter(({ id }) => !left.has(id)),
});

/** What a trainer takes of every network. */
const weightsOf = (home: Home, model: Model) => ({
  path: home.modelFile(model.hash),
  hash: model.hash,
  architecture: model.architecture,
  padding: model.padding,
  batchNormEpsilon: model.batchNormEpsilon,
  sourceClasses: model.sourceClasses.length,
  temperature: model.temperature,
  ...(model.calibration && { calibration: model.calibration }),
});

/** A network of images as a trainer sees it; `resize` is how pictures become its input, where not as it says itself. Errors: `bad-input` for one of texts. */
export function jobModel(home: Home, model: Model, resize?: string): JobModel {
  const { preprocessing } = model;
  if (!preprocessing)
    throw new CotuneError(
      'bad-input',
      `The network "${model.name}" takes texts, and this is done with images.`,
      'Choose a network of images.',
    );
  return {
    ...weightsOf(home, model),
    preprocessing: resize === undefined ? preprocessing : resizedBy(preprocessing, resize),
  };
}

/** The network of a run as its trainer sees it; `size` is the side of pictures, or the most pieces of a text. */
export function runModel(
  home: Home,
  model: Model,
  { resize, size }: Pick<RunConfig, 'resize' | 'size'>,
): AnyModel {
  if (!model.text) return jobModel(home, model, resize?.name);
  return { ...weightsOf(home, model), text: model.text, longest: size };
}

/** Errors: `bad-input` where texts are longer than a network takes. */
export function checkLength({ name, text }: Pick<Model, 'name' | 'text'>, pieces: number): void {
  if (!text || pieces <= text.positions) return;
  throw new CotuneError(
    'bad-input',
    `Texts of ${pieces} pieces are asked for, and the network "${name}" takes ${text.positions}.`,
    `Choose --size ${text.positions} or less.`,
  );
}

/** Row of a relationship learned on a dataset's images with a model's predictions. */
export function learnedRow(
  learned: JobRelationship,
  key: string,
  dataset: Dataset,
  model: Model,
): NewRelationship {
  const { targets: _, ...facts } = learned;
  return {
    ...facts,
    key,
    datasetId: dataset.id,
    modelId: model.id,
    datasetName: dataset.name,
    modelName: model.name,
    targetClasses: dataset.classes,
    sourceClasses: model.sourceClasses,
  };
}
