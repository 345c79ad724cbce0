import * as tf from '@tensorflow/tfjs-core';
import type { TensorDescription } from '../backbones/backbone.ts';
import type { Specs, Tensors } from '../engine/engine.ts';
import { labelCrossEntropy } from '../engine/ops/label-cross-entropy.ts';
import { classify, type Network, sourceHeadTensors } from '../transfer/network.ts';
import { placesSpecs } from '../transfer/places.ts';

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
