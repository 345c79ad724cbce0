import type { NetworkFile } from '../backbones/network-file.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import type { Network } from '../transfer/network.ts';
import { type ChosenTerm, ownName, type Preparation } from '../transfer/term.ts';
import { labeledFeatures } from './labeled-features.ts';
import { learnFromImages } from './learn-relationship.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';

/** What a run's terms make before training, under its names in the training program. */
export async function prepareTerms(
  terms: readonly ChosenTerm[],
  {
    engine,
    network,
    file,
    unusable,
  }: { engine: Engine; network: Network; file: NetworkFile; unusable: UnusableImages },
  job: TrainJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<Arrays> {
  // What is learned from the network as it was pre-trained does not depend on what terms add to it.
  const pretrained = { ...network, backbone: file.backbone };
  const preparation: Preparation = {
    network,
    seed: job.config.seed,
    trainingImages: imagesByClass(job),
    async relationship(approach) {
      if (job.relationship) return job.relationship.matrix;
      const { precision } = job.config;
      const relationship = await learnFromImages(
        engine,
        pretrained,
        file,
        { ...job, approach, precision, unusable },
        report,
        signal,
      );
      const without = [...job.samples.train, ...job.samples.val].filter(({ path }) => unusable.has(path));
      report({ type: 'relationship', relationship, without: without.map(({ id }) => id) });
      return relationship.matrix;
    },
    features: () => labeledFeatures({ engine, network: pretrained, file, unusable }, job, report, signal),
    note: (text) => report({ type: 'note', text }),
  };
  const prepared: Arrays = {};
  for (const one of terms) {
    const { state = {}, network: tensors = {} } = (await one.term.prepare?.(preparation, one.options)) ?? {};
    for (const [name, values] of Object.entries(state)) prepared[ownName(one, name)] = values;
    Object.assign(prepared, tensors);
  }
  return prepared;
}

function imagesByClass({ samples, targetClasses }: TrainJob): number[] {
  const images = new Array<number>(targetClasses).fill(0);
  for (const { label } of samples.train) images[label]++;
  return images;
}
