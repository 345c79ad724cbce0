import { buildBackbone } from '../backbones/build.ts';
import { type NetworkFile, openNetworkFile } from '../backbones/network-file.ts';
import type { Network } from '../transfer/network.ts';
import type { ChosenTerm } from '../transfer/term.ts';
import type { JobModel } from './protocol.ts';

/** The pre-trained network of a job as `terms` change it, about to get a head of `targetClasses`. */
export function openSource(
  model: JobModel,
  targetClasses: number,
  terms: readonly ChosenTerm[] = [],
): { file: NetworkFile; network: Network } {
  const file = openNetworkFile(model.path, model.architecture, model.padding);
  const { batchNormEpsilon } = model;
  const description = terms.reduce(
    (before, { term, options }) => term.describe?.(before, options) ?? before,
    file.description,
  );
  const backbone =
    description === file.description ? file.backbone : buildBackbone(description, model.padding);
  return {
    file,
    network: { backbone, batchNormEpsilon, sourceClasses: file.classes, targetClasses },
  };
}
