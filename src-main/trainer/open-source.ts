import { type NetworkFile, openNetworkFile } from '../backbones/network-file.ts';
import { changedBackbone } from '../transfer/changed-backbone.ts';
import type { Network } from '../transfer/network.ts';
import type { ChosenTerm } from '../transfer/term.ts';
import type { JobModel } from './protocol.ts';

/** The pre-trained network of a job as `terms` change it, about to get a head of `targetClasses`. */
export function openSource(
  model: JobModel,
  targetClasses: number,
  terms?: readonly ChosenTerm[],
): { file: NetworkFile; network: Network } {
  const file = openNetworkFile(model.path, model.architecture, model.padding);
  const { batchNormEpsilon } = model;
  return {
    file,
    network: {
      backbone: changedBackbone(file, model.padding, terms),
      batchNormEpsilon,
      sourceClasses: file.classes,
      targetClasses,
    },
  };
}
