import { type NetworkFile, openNetworkFile } from '../backbones/network-file.ts';
import type { Network } from '../transfer/network.ts';
import type { JobModel } from './protocol.ts';

/** The pre-trained network of a job, about to get a head of `targetClasses`. */
export function openSource(model: JobModel, targetClasses: number): { file: NetworkFile; network: Network } {
  const file = openNetworkFile(model.path, model.architecture, model.padding);
  const { batchNormEpsilon } = model;
  return {
    file,
    network: { backbone: file.backbone, batchNormEpsilon, sourceClasses: file.classes, targetClasses },
  };
}
