/** Keys of what a trainer makes from images and a pre-trained network: over everything that it follows from. */
import type { Approach, Precision } from '../../src-shared/domain.ts';
import type { EngineInfo } from '../engine/engine.ts';
import { contentKey } from '../formats/content-cache.ts';
import type { AnyModel, JobModel, JobSample } from './protocol.ts';

/** Each rises where what it names would come out otherwise: the way from an image's bytes to its logits; the learning. */
const sourceLogitsVersion = 1;
const relationshipVersion = 3;
/** The same of texts: which pieces the source head is asked about. */
const textVersion = 2;

/** What made some source predictions. */
export interface Predictor {
  model: JobModel;
  engine: EngineInfo;
  precision: Precision;
  /** Side of the square crop in pixels; the network's own where it is left out. */
  size?: number;
}

/** What is kept of an image: its source logits, its pooled features, or the former with the latter behind them. */
export type SourceOutput = 'source' | 'features' | 'source-and-features';

/** Key of one image's source logits, its features, or both. `image` is the SHA-256 of its file. */
export const sourceLogitsKey = (
  image: string,
  { model, engine, precision, size = model.preprocessing.inputSize }: Predictor,
  output: SourceOutput = 'source',
): string =>
  contentKey({
    what: output,
    version: sourceLogitsVersion,
    image,
    network: networkOf(model),
    engine,
    precision,
    // The network's own size is part of the network.
    ...(size === model.preprocessing.inputSize ? {} : { size }),
  });

/** What a relationship follows from. */
export interface RelationshipOrigin {
  approach: Approach;
  model: AnyModel;
  /** As it was asked for: which engine `auto` takes is known only in the trainer. */
  engine: string;
  precision: Precision;
  samples: Record<'train' | 'val', Pick<JobSample, 'hash' | 'label'>[]>;
  targetClasses: readonly string[];
  sourceClasses: readonly string[];
}

/** Key of a relationship. The order of the images counts, because sums in floating point depend on it. */
export function relationshipKey(origin: RelationshipOrigin): string {
  const { model, samples, approach, engine, precision, targetClasses, sourceClasses } = origin;
  const imagesOf = (list: Pick<JobSample, 'hash' | 'label'>[]) =>
    list.map(({ hash, label }) => `${label} ${hash}`);
  return contentKey({
    what: 'relationship',
    versions: [relationshipVersion, sourceLogitsVersion, ...('text' in model ? [textVersion] : [])],
    approach,
    network: networkOf(model),
    temperature: model.temperature,
    calibration: model.calibration
      ? { temperature: model.calibration.temperature, hash: model.calibration.hash }
      : null,
    engine,
    precision,
    targetClasses,
    sourceClasses,
    train: imagesOf(samples.train),
    val: imagesOf(samples.val),
  });
}

/** What a term's preparation can follow from, beside what it names itself. */
export interface PreparationOrigin extends Omit<Predictor, 'model'> {
  model: AnyModel;
  /** The term that prepares, and what it names: its version, the options that it reads. */
  term: string;
  origin: Readonly<Record<string, unknown>>;
  /** Training images in the run's order. */
  samples: readonly Pick<JobSample, 'hash' | 'label'>[];
  targetClasses: number;
  /** Side of the square images in pixels, and images in a batch. */
  size: number;
  batch: number;
}

/** Rises where what any term prepares would come out otherwise: the way from an image's bytes to a network's input. */
const preparationVersion = 1;

/** Key of what a term prepares. */
export const preparationKey = ({ model, samples, ...origin }: PreparationOrigin): string =>
  contentKey({
    what: 'prepared',
    version: preparationVersion,
    ...origin,
    network: networkOf(model),
    samples: samples.map(({ hash, label }) => `${label} ${hash}`),
  });

/** A network as its predictions follow from it: told by its hash wherever it lies; a temperature comes in after the logits. */
function networkOf(model: AnyModel): Record<string, unknown> {
  const { path: _path, temperature: _temperature, calibration: _calibration, ...network } = model;
  return network;
}

/** Rises where a ranking score would come out otherwise. */
const rankingVersion = 1;

/** Key of a network's ranking scores on labelled samples. */
export const rankingKey = (
  predictor: Omit<Predictor, 'model' | 'size'> & { model: AnyModel },
  samples: readonly Pick<JobSample, 'hash' | 'label'>[],
  scores: readonly string[],
): string =>
  contentKey({
    what: 'ranking',
    versions: [rankingVersion, sourceLogitsVersion],
    network: networkOf(predictor.model),
    engine: predictor.engine,
    precision: predictor.precision,
    samples: samples.map(({ hash, label }) => `${label} ${hash}`),
    scores,
  });

/** Rises where what a check finds by features would come out otherwise. */
const checkVersion = 1;

/** Key of what a network's features tell of labels. `alike` and `trained` are as in `CheckFacts`. */
export const checkKey = (
  predictor: Predictor,
  samples: readonly { hash: string; label: number; alike: string | null; trained: boolean }[],
): string => {
  const { model, engine, precision, size = model.preprocessing.inputSize } = predictor;
  return contentKey({
    what: 'check',
    versions: [checkVersion, sourceLogitsVersion],
    network: networkOf(model),
    engine,
    precision,
    size,
    samples: samples.map(
      ({ hash, label, alike, trained }) => `${label} ${hash} ${alike ?? ''} ${Number(trained)}`,
    ),
  });
};
