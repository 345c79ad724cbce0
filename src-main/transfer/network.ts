import type * as tf from '@tensorflow/tfjs-core';
import { type Backbone, type Scope, sourceHead, type TensorDescription } from '../backbones/backbone.ts';
import { batchNormEvaluation, batchNormTraining, updateRunning } from '../backbones/batch-norm.ts';
import { tfShape } from '../backbones/layouts.ts';
import type { Specs, Tensors } from '../engine/engine.ts';

/** A backbone with the two heads of co-tuning: one for source classes, one for target classes. */
export interface Network {
  backbone: Backbone;
  batchNormEpsilon: number;
  sourceClasses: number;
  targetClasses: number;
  /** What source classes are related to, where these are not the target classes: types of entities, which have several tags. */
  categories?: number;
}

/** Name of the new head's tensors: `target.weight`, `target.bias`. */
export const targetHead = 'target';

/** Whether a tensor belongs to the target's head, with what is before its scores (BERT's pooler), or to the source's. */
export const belongsToHead = ({ backbone }: Network, name: string): boolean =>
  [targetHead, backbone.head].some((head) => name.startsWith(`${head}.`)) ||
  backbone.headTensors(targetHead, 1).some((tensor) => tensor.name === name);

export const sourceHeadTensors = ({ backbone, sourceClasses }: Network): TensorDescription[] =>
  sourceHead(backbone, sourceClasses);

export const targetHeadTensors = ({ backbone, targetClasses }: Network): TensorDescription[] =>
  backbone.headTensors(targetHead, targetClasses);

/** Which head an evaluation reads, or the pooled features before it; `source-and-features` leaves these behind its logits. */
export type HeadChoice = 'source' | 'target' | 'features' | 'source-and-features';

/** Numbers that an evaluation gives for each image. */
export function outputWidth({ backbone, sourceClasses, targetClasses }: Network, head: HeadChoice): number {
  const widths = { target: targetClasses, source: sourceClasses, features: backbone.features };
  return head === 'source-and-features' ? widths.source + widths.features : widths[head];
}

/** The tensors that an evaluation needs: the backbone's and those of the head that it reads. */
export const evaluationTensors = (network: Network, head: HeadChoice): TensorDescription[] => [
  ...network.backbone.tensors,
  ...(head === 'features' ? [] : head === 'target' ? targetHeadTensors(network) : sourceHeadTensors(network)),
];

/** Engine specs of tensors, in tf.js layouts. */
export const specsOf = (tensors: TensorDescription[]): Specs =>
  Object.fromEntries(
    tensors.map((tensor) => [tensor.name, { shape: tfShape(tensor), dtype: 'float32' as const }]),
  );

/** Scope of an evaluation pass: batch norm with running statistics. */
export function evaluationScope(network: Network, tensors: Tensors): Scope {
  return {
    tensor: (name) => tensors[name],
    batchNorm(x, prefix) {
      const [gamma, beta, mean, variance] = batchNormNames(prefix).map((name) => tensors[name]);
      return batchNormEvaluation(x, gamma, beta, mean, variance, network.batchNormEpsilon);
    },
  };
}

/**
 * Scope of a training pass: batch norm with the batch's statistics, but for channels for which `byBatch` has 0; `onRunning` gets
 * the updated running ones.
 */
export function trainingScope(
  network: Network,
  tensors: Tensors,
  onRunning: (name: string, value: tf.Tensor) => void,
  byBatch: (batchNorm: string) => tf.Tensor | undefined = () => undefined,
): Scope {
  return {
    tensor: (name) => tensors[name],
    batchNorm(x, prefix, near) {
      const [gamma, beta, mean, variance] = batchNormNames(prefix);
      const before = { mean: tensors[mean], variance: tensors[variance] };
      const batch = byBatch(prefix);
      const result = batchNormTraining(
        x,
        tensors[gamma] as tf.Tensor1D,
        tensors[beta] as tf.Tensor1D,
        network.batchNormEpsilon,
        near(),
        batch && { ...before, batch },
      );
      const running = updateRunning(before, result, x.size / x.shape[3], network.backbone.batchNorm.momentum);
      onRunning(mean, running.mean);
      onRunning(variance, running.variance);
      return result.y;
    },
  };
}

const batchNormNames = (prefix: string): string[] =>
  ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) => `${prefix}.${leaf}`);

/** Features as the backbone leaves them → logits [batch, classes] of the head of that name. */
export const classify = (
  { backbone }: Network,
  features: tf.Tensor,
  tensors: Tensors,
  name: string,
): tf.Tensor2D => backbone.classify(features, { tensor: (one) => tensors[one] }, name) as tf.Tensor2D;
