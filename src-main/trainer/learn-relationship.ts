import type { Approach, Precision, Split } from '../../src-shared/domain.ts';
import type { NetworkFile } from '../backbones/network-file.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Engine } from '../engine/engine.ts';
import type { Network } from '../transfer/network.ts';
import { learnRelationship } from '../transfer/relationship.ts';
import { labeledOutputs } from './labeled-outputs.ts';
import type { FromTrainer, JobModel, JobRelationship, JobSample } from './protocol.ts';

export interface RelationshipInputs {
  approach: Approach;
  model: JobModel;
  /** Precision of the engine. */
  precision: Precision;
  samples: Record<Split, JobSample[]>;
  targetClasses: number;
  /** Names of the target classes. */
  classNames: readonly string[];
  cacheFolder: string;
  /** What becomes of images that cannot be used; the first ends the learning where left out. */
  unusable?: UnusableImages;
}

/**
 * Learns p(source | target) from the pre-trained network's predictions on the training and validation images. The
 * source temperature is the fitted one where there is one, else that of the model's metadata, else 1.
 */
export async function learnFromImages(
  engine: Engine,
  network: Network,
  file: NetworkFile,
  inputs: RelationshipInputs,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<JobRelationship> {
  const { approach, model, precision, targetClasses, classNames } = inputs;
  const { train, val } = await labeledOutputs(
    { engine, network, file },
    { model, precision },
    inputs,
    'source',
    report,
    signal,
  );
  const { temperature, ...origin } = temperatureOf(model);
  const { notes, matrix, ...learned } = await learnRelationship({
    approach,
    trainLogits: train.outputs,
    trainLabels: train.labels,
    valLogits: val.outputs,
    valLabels: val.labels,
    targets: targetClasses,
    classNames,
    sourceScale: 1 / temperature,
  });
  for (const text of notes) report({ type: 'note', text });
  return {
    ...learned,
    matrix: Float32Array.from(matrix),
    approach,
    sourceTemperature: temperature,
    ...origin,
    targets: targetClasses,
  };
}

function temperatureOf({ calibration, temperature }: JobModel) {
  if (calibration)
    return { temperature: calibration.temperature, temperatureSource: 'fitted' as const, calibration };
  if (temperature !== null) return { temperature, temperatureSource: 'metadata' as const };
  return { temperature: 1, temperatureSource: 'default' as const };
}
