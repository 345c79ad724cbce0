import { methodName } from '../../src-shared/parts.ts';
import { hasSteps } from '../../src-shared/run-settings.ts';
import { toTorch } from '../backbones/layouts.ts';
import { toMetadata } from '../backbones/model-metadata.ts';
import type { Arrays } from '../engine/engine.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { type Network, targetHead, targetHeadTensors } from '../transfer/network.ts';
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
    origin: `${config.model}, ${methodName(config.method)} on ${config.dataset}, seed ${config.seed}${hasSteps(config) ? `, ${config.steps} steps` : ''}`,
  });
  const tensors = [...network.backbone.tensors, ...targetHeadTensors(network)];
  writeSafetensors(
    path,
    tensors.map((tensor) => [
      tensor.name.replace(`${targetHead}.`, `${network.backbone.head}.`),
      { shape: tensor.shape, values: toTorch(tensor, weights[tensor.name] as Float32Array) },
    ]),
    metadata,
  );
}
