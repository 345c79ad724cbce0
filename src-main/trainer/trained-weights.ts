import type { RunConfig } from '../../src-shared/domain.ts';
import { methodName } from '../../src-shared/parts.ts';
import { hasSteps } from '../../src-shared/run-settings.ts';
import { toMetadata } from '../backbones/model-metadata.ts';
import type { Arrays } from '../engine/engine.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { type Network, targetHeadTensors } from '../transfer/network.ts';
import { writtenTensors } from '../transfer/written-tensors.ts';
import type { JobModel, TrainJob } from './protocol.ts';

/**
 * Writes the backbone and the target head as a network of its own, with torchvision's names and layouts, its class
 * names and preprocessing: `cotune models add` takes the file as it is.
 */
export function writeTrainedWeights(
  path: string,
  network: Network,
  weights: Arrays,
  job: Pick<TrainJob, 'config' | 'classNames'> & { model: JobModel },
): void {
  const { model, config } = job;
  const { preprocessing } = model;
  const shorter = Math.floor((config.size * preprocessing.resizeShorter) / preprocessing.inputSize);
  const metadata = toMetadata({
    architecture: model.architecture,
    padding: model.padding,
    batchNormEpsilon: model.batchNormEpsilon,
    preprocessing: { ...preprocessing, inputSize: config.size, resizeShorter: shorter },
    classNames: job.classNames,
    temperature: null,
    origin: trainedBy(config),
  });
  const tensors = [...network.backbone.tensors, ...targetHeadTensors(network)];
  writeSafetensors(path, writtenTensors(tensors, weights, network.backbone.head), metadata);
}

/** What a trained network's file says of where it comes from. */
export function trainedBy(config: RunConfig): string {
  const steps = hasSteps(config) ? `, ${config.steps} steps` : '';
  return `${config.model}, ${methodName(config.method)} on ${config.dataset}, seed ${config.seed}${steps}`;
}
