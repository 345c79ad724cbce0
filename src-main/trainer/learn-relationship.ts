import type { Approach, Precision, Split } from '../../src-shared/domain.ts';
import type { TaskName } from '../../src-shared/names.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { NetworkFile } from '../backbones/network-file.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Engine } from '../engine/engine.ts';
import { taskOf } from '../tasks/index.ts';
import type { Network } from '../transfer/network.ts';
import { learnRelationship } from '../transfer/relationship.ts';
import type { AnyModel, FromTrainer, JobRelationship, JobSample } from './protocol.ts';

export interface RelationshipInputs {
  approach: Approach;
  task: TaskName;
  model: AnyModel;
  /** Precision of the engine. */
  precision: Precision;
  samples: Record<Split, JobSample[]>;
  /** Names of the target classes, or of the types of entities. */
  classNames: string[];
  cacheFolder: string;
  /** What becomes of images that cannot be used. */
  unusable: UnusableImages;
}

/**
 * Learns p(source | target) from the pre-trained network's predictions on the training and validation samples. The
 * source temperature is the fitted one where there is one, else that of the model's metadata, else 1. `without`: ids of samples
 * whose images could not be used.
 */
export async function learnFromSamples(
  engine: Engine,
  network: Network,
  file: NetworkFile,
  inputs: RelationshipInputs,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<{ relationship: JobRelationship; without: number[] }> {
  const { approach, model, samples, classNames, unusable } = inputs;
  const { train, val } = await taskOf(inputs.task).outputs(
    { engine, network, file },
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
    targets: classNames.length,
    classNames,
    sourceScale: 1 / temperature,
    called: taskNamed(inputs.task),
  });
  for (const text of notes) report({ type: 'note', text });
  const relationship = {
    ...learned,
    matrix: Float32Array.from(matrix),
    approach,
    sourceTemperature: temperature,
    ...origin,
    notes: [...notes, ...unusable.notes()],
    targets: classNames.length,
  };
  const without = [...samples.train, ...samples.val].filter(({ path }) => unusable.has(path));
  return { relationship, without: without.map(({ id }) => id) };
}

function temperatureOf({ calibration, temperature }: AnyModel) {
  if (calibration)
    return { temperature: calibration.temperature, temperatureSource: 'fitted' as const, calibration };
  if (temperature !== null) return { temperature, temperatureSource: 'metadata' as const };
  return { temperature: 1, temperatureSource: 'default' as const };
}
