import * as tf from '@tensorflow/tfjs-core';
import type { Backbone, Scope, TensorDescription } from '../backbones/backbone.ts';
import { headTensors } from '../backbones/backbone.ts';
import { batchNormEvaluation, batchNormTraining, updateRunning } from '../backbones/batch-norm.ts';
import { tfShape } from '../backbones/layouts.ts';
import type { Specs, Tensors } from '../engine/engine.ts';

/** A backbone with the two heads of co-tuning: one for source classes, one for target classes. */
export interface Network {
  backbone: Backbone;
  batchNormEpsilon: number;
  sourceClasses: number;
  targetClasses: number;
}

/** Name of the new head's tensors: `target.weight`, `target.bias`. */
export const targetHead = 'target';

export const sourceHeadTensors = ({ backbone, sourceClasses }: Network): TensorDescription[] =>
  headTensors(backbone.head, sourceClasses, backbone.features);

export const targetHeadTensors = ({ backbone, targetClasses }: Network): TensorDescription[] =>
  headTensors(targetHead, targetClasses, backbone.features);

/** Which head an evaluation reads. */
export type HeadChoice = 'source' | 'target';

/** The tensors that an evaluation needs: the backbone's and one head's. */
export const evaluationTensors = (network: Network, head: HeadChoice): TensorDescription[] => [
  ...network.backbone.tensors,
  ...(head === 'source' ? sourceHeadTensors(network) : targetHeadTensors(network)),
];

/** Engine specs of tensors, in tf.js layouts. */
export const specsOf = (tensors: TensorDescription[]): Specs =>
  Object.fromEntries(
    tensors.map((tensor) => [tensor.name, { shape: tfShape(tensor), dtype: 'float32' as const }]),
  );

/** Scope of an evaluation pass: batch norm with running statistics. */
export function evaluationScope(tensors: Tensors, epsilon: number): Scope {
  return {
    tensor: (name) => tensors[name],
    batchNorm(x, prefix) {
      const [gamma, beta, mean, variance] = batchNormNames(prefix).map((name) => tensors[name]);
      return batchNormEvaluation(x, gamma, beta, mean, variance, epsilon);
    },
  };
}

/** Scope of a training pass: batch norm with the batch's statistics; `onRunning` gets the updated running ones. */
export function trainingScope(
  tensors: Tensors,
  epsilon: number,
  onRunning: (name: string, value: tf.Tensor) => void,
): Scope {
  return {
    tensor: (name) => tensors[name],
    batchNorm(x, prefix, near) {
      const [gamma, beta, mean, variance] = batchNormNames(prefix);
      const result = batchNormTraining(
        x,
        tensors[gamma] as tf.Tensor1D,
        tensors[beta] as tf.Tensor1D,
        epsilon,
        near(),
      );
      const running = updateRunning(
        { mean: tensors[mean], variance: tensors[variance] },
        result,
        x.size / x.shape[3],
      );
      onRunning(mean, running.mean);
      onRunning(variance, running.variance);
      return result.y;
    },
  };
}

const batchNormNames = (prefix: string): string[] =>
  ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) => `${prefix}.${leaf}`);

/** features [batch, features] → logits [batch, classes]. */
export const linearHead = (features: tf.Tensor2D, tensors: Tensors, name: string): tf.Tensor2D =>
  tf.add(tf.matMul(features, tensors[`${name}.weight`] as tf.Tensor2D), tensors[`${name}.bias`]);
