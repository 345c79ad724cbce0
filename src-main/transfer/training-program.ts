import * as tf from '@tensorflow/tfjs-core';
import type { Backbone, TensorDescription } from '../backbones/backbone.ts';
import type { Program, Specs, Tensors } from '../engine/engine.ts';
import type { TransferMethod } from './method.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type HeadChoice,
  type Network,
  sourceHeadTensors,
  specsOf,
  targetHead,
  targetHeadTensors,
  trainingScope,
} from './network.ts';
import { nesterovStep } from './optimizer.ts';

export interface TrainingOptions {
  method: TransferMethod;
  batch: number;
  /** Side of the square images in pixels. */
  size: number;
  momentum: number;
  weightDecay: number;
  /** Factor on the learning rate of the target head. */
  headLearningRateMultiplier: number;
  tradeOff: number;
  /** Stages of the backbone that stay as they are, and the stem with them; 0 (the default) trains everything. */
  frozen?: number;
}

/** Tensors that a training run holds: the backbone, the target head and, where the method uses it, the source head. */
export function networkTensors(network: Network, usesRelationship: boolean): TensorDescription[] {
  const source = usesRelationship ? sourceHeadTensors(network) : [];
  return [...network.backbone.tensors, ...source, ...targetHeadTensors(network)];
}

/** State name of a parameter's momentum buffer. */
export const momentumName = (parameter: string): string => `momentum/${parameter}`;

/** State name of the matrix p(source | target), [targets, sources]. */
export const relationshipName = 'relationship';

/**
 * One training step as a pure function: forward in training mode, the method's loss, its gradient, and SGD with
 * Nesterov momentum and weight decay on every parameter. Frozen stages run in evaluation mode and stay as they are.
 *
 * batch: images [batch, size, size, 3], labels int32 [batch], learning_rate scalar.
 * outputs: the method's loss parts and `correct`, the number of right target predictions, all scalars.
 */
export function trainingProgram(network: Network, options: TrainingOptions): Program {
  const { method, batch, size, momentum, weightDecay, frozen = 0 } = options;
  const { backbone, targetClasses } = network;
  const tensors = networkTensors(network, method.usesRelationship);
  const isFrozen = frozenLayers(backbone, frozen);
  const trained = tensors
    .filter(({ name, kind }) => kind !== 'running' && !isFrozen(name))
    .map((tensor) => tensor.name);
  const weights = specsOf(tensors);
  const slots: Specs = Object.fromEntries(trained.map((name) => [momentumName(name), weights[name]]));
  const relationship: Specs = method.usesRelationship
    ? { [relationshipName]: { shape: [targetClasses, network.sourceClasses], dtype: 'float32' } }
    : {};

  return {
    state: { ...weights, ...slots, ...relationship },
    batch: {
      images: { shape: [batch, size, size, 3], dtype: 'float32' },
      labels: { shape: [batch], dtype: 'int32' },
      learning_rate: { shape: [], dtype: 'float32' },
    },
    step(state, fed) {
      const targets = tf.oneHot(fed.labels as tf.Tensor1D, targetClasses, 1, 0, 'float32') as tf.Tensor2D;
      const aside: Tensors = {};
      // Gradients are taken inside a scope that frees what it does not return: side results must be kept.
      const keep = (name: string, value: tf.Tensor) => {
        aside[name] = tf.keep(value.clone());
      };
      const forward = (...parameters: tf.Tensor[]): tf.Scalar => {
        const used: Tensors = { ...state };
        for (const [index, name] of trained.entries()) used[name] = parameters[index];
        const training = trainingScope(network, used, (name, value) => keep(`state/${name}`, value));
        const evaluation = evaluationScope(network, used);
        const features = backbone.forward(fed.images as tf.Tensor4D, {
          tensor: training.tensor,
          batchNorm: (x, prefix, near) =>
            (isFrozen(prefix) ? evaluation : training).batchNorm(x, prefix, near),
        });
        const targetLogits = classify(network, features, used, targetHead);
        const sourceLogits = method.usesRelationship
          ? classify(network, features, used, backbone.head)
          : null;
        const loss = method.loss({
          targetLogits,
          targets,
          sourceLogits,
          relationship: method.usesRelationship ? (state[relationshipName] as tf.Tensor2D) : null,
          tradeOff: options.tradeOff,
        });
        for (const [name, value] of Object.entries(loss.parts)) keep(`output/${name}`, value);
        const hits = tf.equal(tf.argMax(targetLogits, 1), fed.labels);
        keep('output/correct', tf.sum(tf.cast(hits, 'float32')));
        return loss.total;
      };
      const { grads } = tf.valueAndGrads(forward)(trained.map((name) => state[name]));

      const next: Tensors = {};
      const headRate = tf.mul(fed.learning_rate, options.headLearningRateMultiplier);
      for (const [index, name] of trained.entries()) {
        const rate = name.startsWith(`${targetHead}.`) ? headRate : fed.learning_rate;
        const slot = momentumName(name);
        const after = nesterovStep(state[name], grads[index], state[slot], rate, momentum, weightDecay);
        next[name] = after.parameter;
        next[slot] = after.velocity;
      }
      const outputs: Tensors = {};
      for (const [name, value] of Object.entries(aside)) {
        const [kind, key] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
        (kind === 'state' ? next : outputs)[key] = value.clone();
        value.dispose();
      }
      return { state: next, outputs };
    },
  };
}

/** Whether a layer or tensor belongs to the stem or the first `count` stages; with 0 none does. */
function frozenLayers({ stages }: Backbone, count: number): (name: string) => boolean {
  const prefixes = count === 0 ? [] : stages.slice(0, count + 1).flat();
  return (name) => prefixes.some((prefix) => name === prefix || name.startsWith(`${prefix}.`));
}

/**
 * A pass in evaluation mode: images [batch, size, size, 3] → `logits` [batch, classes] of one head. Every state tensor
 * may be given as a constant.
 */
export function evaluationProgram(network: Network, head: HeadChoice, batch: number, size: number): Program {
  const { backbone } = network;
  return {
    state: specsOf(evaluationTensors(network, head)),
    batch: { images: { shape: [batch, size, size, 3], dtype: 'float32' } },
    step(state, fed) {
      const features = backbone.forward(fed.images as tf.Tensor4D, evaluationScope(network, state));
      return {
        state: {},
        outputs: {
          logits: classify(network, features, state, head === 'source' ? backbone.head : targetHead),
        },
      };
    },
  };
}
