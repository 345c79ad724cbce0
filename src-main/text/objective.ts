import * as tf from '@tensorflow/tfjs-core';
import type { TensorDescription } from '../backbones/backbone.ts';
import type { Specs, Tensors } from '../engine/engine.ts';
import { labelCrossEntropy } from '../engine/ops/label-cross-entropy.ts';
import { classify, type Network, sourceHeadTensors } from '../transfer/network.ts';

/** What a step is to make smaller, and what it asks for: heads, state and inputs. */
export interface Objective {
  heads(network: Network): TensorDescription[];
  /** Tensors that it is given and that stay as they are. */
  state?(network: Network): Specs;
  /** Its own inputs in a batch. */
  batch: Specs;
  /** `loss` is what the gradient is of, and goes out beside `outputs`. */
  loss(view: TextView): { loss: tf.Scalar; outputs?: Tensors };
}

/** One batch of texts, as an objective sees it. */
export interface TextView {
  network: Network;
  /** [batch, length, features] */
  features: tf.Tensor3D;
  /** Tensors of the network and its heads in this step, by name. */
  weights: Tensors;
  /** What the objective's state and inputs hold. */
  held: Tensors;
}

/**
 * Inputs that name `count` of a batch's pieces: where they are (their numbers in the batch, row after row), a label for each, and
 * what it counts. Places that are not needed count 0.
 */
const placesSpecs = (name: string, count: number): Specs => ({
  [`${name}_places`]: { shape: [count], dtype: 'int32' },
  [`${name}_labels`]: { shape: [count], dtype: 'int32' },
  [`${name}_counts`]: { shape: [count, 1], dtype: 'float32' },
});

/** Values for `placesSpecs`: what is there counts alike, so that the loss is its mean; 0 where nothing is. */
export function placesValues(
  name: string,
  count: number,
  places: readonly number[],
  labels: readonly number[],
): Record<string, Int32Array | Float32Array> {
  const filled = (values: readonly number[]) =>
    Int32Array.from({ length: count }, (_, index) => values[index] ?? 0);
  return {
    [`${name}_places`]: filled(places),
    [`${name}_labels`]: filled(labels),
    // The cross-entropy is a mean over all places, those without a label among them.
    [`${name}_counts`]: Float32Array.from({ length: count }, (_, index) =>
      index < places.length ? count / places.length : 0,
    ),
  };
}

/** Mean cross-entropy of what a head makes of the pieces that `placesSpecs` names, with their labels. The head sees no other piece. */
function lossAtPlaces(name: string, { network, features, weights, held }: TextView, head: string): tf.Scalar {
  const [batch, length, width] = features.shape;
  const rows = tf.gather(tf.reshape(features, [batch * length, width]), held[`${name}_places`]);
  const logits = classify(network, rows, weights, head);
  const labels = held[`${name}_labels`] as tf.Tensor1D;
  const counts = held[`${name}_counts`] as tf.Tensor2D;
  return labelCrossEntropy(logits, labels, counts);
}

/**
 * Masked language modelling: which piece stood at each of `count` places. Devlin et al., «BERT», NAACL 2019, section 3.1, task 1.
 * Inputs `masked_…`, see `placesSpecs`.
 */
export const maskedPieces = (count: number): Objective => ({
  heads: sourceHeadTensors,
  batch: placesSpecs('masked', count),
  loss: (view) => ({ loss: lossAtPlaces('masked', view, view.network.backbone.head) }),
});
