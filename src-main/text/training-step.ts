import * as tf from '@tensorflow/tfjs-core';
import type { Program, Specs, Tensors } from '../engine/engine.ts';
import { maskSpecs } from '../transfer/dropping.ts';
import { evaluationScope, type Network, specsOf } from '../transfer/network.ts';
import { type ChosenOptimizer, slotName } from '../transfer/optimizer.ts';
import type { ChosenTerm } from '../transfer/term.ts';
import { updates } from '../transfer/updates.ts';
import type { Objective } from './objective.ts';

/** What a batch of texts is like. */
export interface TextShape {
  batch: number;
  /** Pieces of each text, padding included. */
  length: number;
}

export interface TextTraining extends TextShape {
  objective: Objective;
  optimizer: ChosenOptimizer;
  /** Terms that limit gradients. */
  terms?: readonly ChosenTerm[];
  /** Whether texts have two segments. */
  segmented?: boolean;
  /** Whether values are dropped where the network's description says so: their masks are fed under the sites' names. */
  drops?: boolean;
}

/** What a text network is fed. */
export const textSpecs = ({ batch, length }: TextShape, segmented: boolean): Specs => ({
  pieces: { shape: [batch, length], dtype: 'int32' },
  present: { shape: [batch, length], dtype: 'float32' },
  ...(segmented && { segments: { shape: [batch, length], dtype: 'int32' as const } }),
});

/**
 * One training step over a batch of texts as a pure function. Weight decay leaves biases and norms alone, as in BERT's own training.
 * All programs of one network, objective and optimizer have the same state, whatever their batches are like.
 *
 * batch: pieces int32 [batch, length], present [batch, length] (0 where there is padding), segments int32 [batch, length] where there
 * are two, what the objective asks for, learning_rate and step, scalars. outputs: `loss` and the objective's; for diagnosis what
 * `withNorm` takes.
 */
export function textTrainingStep(network: Network, training: TextTraining): Program {
  const { batch, length, objective, optimizer, terms = [], segmented = false, drops = false } = training;
  const { backbone } = network;
  const tensors = [...backbone.tensors, ...objective.heads(network)];
  const trained = tensors.map(({ name }) => name);
  const given = objective.state?.(network) ?? {};
  const specs = specsOf(tensors);
  const kept = new Map(tensors.map(({ name, kind }) => [name, kind === 'vector']));
  const plan = {
    trained,
    anchored: [],
    isHead: () => false,
    decays: (name: string) => !kept.get(name),
  };
  const scalar = { shape: [], dtype: 'float32' as const };
  return {
    state: {
      ...specs,
      ...given,
      ...Object.fromEntries(
        trained.flatMap((name) =>
          optimizer.optimizer.slots.map((slot) => [slotName(slot, name), specs[name]]),
        ),
      ),
    },
    batch: {
      ...textSpecs(training, segmented),
      ...objective.batch,
      ...(drops ? maskSpecs(backbone.masks, { batch, size: length }) : {}),
      learning_rate: scalar,
      ...(optimizer.optimizer.countsSteps ? { step: scalar } : {}),
    },
    step(state, fed) {
      const held: Tensors = {};
      for (const name of Object.keys(given)) held[name] = state[name];
      for (const name of Object.keys(objective.batch)) held[name] = fed[name];
      const outputs: Tensors = {};
      const forward = (...parameters: tf.Tensor[]): tf.Scalar => {
        const weights: Tensors = { ...state };
        for (const [index, name] of trained.entries()) weights[name] = parameters[index];
        const features = backbone.forward(fed.pieces, {
          ...evaluationScope(network, weights),
          present: fed.present,
          segments: fed.segments,
          mask: ({ name }) => fed[name],
        }) as tf.Tensor3D;
        const made = objective.loss({ network, features, weights, held });
        // Gradients are taken inside a scope that frees what it does not return.
        for (const [name, value] of Object.entries({ loss: made.loss, ...made.outputs }))
          outputs[name] = tf.keep(value.clone());
        return made.loss;
      };
      const { grads } = tf.valueAndGrads(forward)(trained.map((name) => state[name]));
      for (const [name, value] of Object.entries(outputs)) {
        outputs[name] = value.clone();
        value.dispose();
      }
      const { next, diagnosis } = updates(
        network,
        { terms, optimizer, headLearningRateMultiplier: 1 },
        plan,
        state,
        fed,
        Object.fromEntries(trained.map((name, index) => [name, grads[index]])),
        () => ({ state: {}, fed: {}, observed: {} }),
      );
      return { state: next, outputs, diagnosis };
    },
  };
}
