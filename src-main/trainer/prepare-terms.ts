import type { NetworkFile } from '../backbones/network-file.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import { taskOf } from '../tasks/index.ts';
import type { Network } from '../transfer/network.ts';
import { type ChosenTerm, ownName, type Preparation } from '../transfer/term.ts';
import type { LabeledOutputs } from './labeled-outputs.ts';
import { learnFromSamples } from './learn-relationship.ts';
import { preparationFor } from './preparation.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';

/** What a run's terms make before training, under its names in the training program. */
export async function prepareTerms(
  terms: readonly ChosenTerm[],
  pretrained: {
    engine: Engine;
    network: Network;
    file: NetworkFile;
    unusable: UnusableImages;
    weights: () => Arrays;
  },
  job: TrainJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<Arrays> {
  const { engine, network, file, unusable } = pretrained;
  // What is learned from the network as it was pre-trained does not depend on what terms add to it.
  const alone = { ...network, backbone: file.backbone };
  // It is no value of the content cache: people look at relationships, so that the service keeps each as an object of its own.
  const relationship: Preparation['relationship'] = async (approach) => {
    if (job.relationship) return job.relationship.matrix;
    const { precision } = job.config;
    const inputs = { ...job, approach, precision, unusable };
    const learned = await learnFromSamples(engine, alone, file, inputs, report, signal);
    report({ type: 'relationship', ...learned });
    return learned.relationship.matrix;
  };
  const features: Preparation['features'] = async () => {
    const { precision, size, seed } = job.config;
    const { train, val } = await taskOf(job.task).outputs(
      { engine, network: alone, file },
      { ...job, precision, size, seed, unusable },
      'features',
      report,
      signal,
    );
    const named = ({ outputs, labels }: LabeledOutputs) => ({ features: outputs, labels });
    return { train: named(train), val: named(val) };
  };
  const prepared: Arrays = {};
  for (const one of terms) {
    if (!one.term.prepare) continue;
    const preparation = preparationFor(
      one.term.name,
      { ...pretrained, pretrained: alone, relationship, features },
      job,
      report,
      signal,
    );
    const { state = {}, network: tensors = {} } = await one.term.prepare(preparation, one.options);
    for (const [name, values] of Object.entries(state)) prepared[ownName(one, name)] = values;
    Object.assign(prepared, tensors);
  }
  return prepared;
}
