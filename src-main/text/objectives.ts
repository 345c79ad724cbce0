import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from '../transfer/cross-entropy.ts';
import { classify, sourceHeadTensors, targetHead, targetHeadTensors } from '../transfer/network.ts';
import { lossAtPlaces, type Objective, placesSpecs } from './objective.ts';

/**
 * Masked language modelling: which piece stood at each of `count` places. Devlin et al., «BERT», NAACL 2019, section 3.1, task 1.
 * Inputs `masked_…`, see `placesSpecs`.
 */
export const maskedPieces = (count: number): Objective => ({
  heads: sourceHeadTensors,
  batch: placesSpecs('masked', count),
  loss: (view) => ({ loss: lossAtPlaces('masked', view, view.network.backbone.head) }),
});

/** What co-tuning adds to the tagging of pieces: a weight, and at how many pieces of entities at most. */
export interface EntityTerm {
  tradeOff: number;
  count: number;
}

/**
 * A tag for each of `count` pieces. With an entity term, co-tuning's loss CE(H(F(x)), y_t) + λ · CE(G_s(F(x)), p(y_s | y_t)), whose
 * second part is the mean over pieces of entities, y_t being the type of the entity and y_s a piece of the vocabulary: words outside
 * take no part. You et al., «Co-Tuning for Transfer Learning», NeurIPS 2020, equation 2 and section 5.4.
 *
 * Inputs `tag_…` and `entity_…`, see `placesSpecs`; state `relationship` [types, vocabulary], whose rows sum to one.
 */
export const taggedPieces = (count: number, entities?: EntityTerm & { types: number }): Objective => ({
  heads: (network) => [...targetHeadTensors(network), ...(entities ? sourceHeadTensors(network) : [])],
  ...(entities && {
    state: ({ sourceClasses }) => ({
      relationship: { shape: [entities.types, sourceClasses], dtype: 'float32' },
    }),
  }),
  batch: { ...placesSpecs('tag', count), ...(entities && placesSpecs('entity', entities.count)) },
  loss(view) {
    const target = lossAtPlaces('tag', view, targetHead);
    if (!entities) return { loss: target };
    const relationship = view.held.relationship as tf.Tensor2D;
    const source = lossAtPlaces('entity', view, view.network.backbone.head, relationship);
    return {
      loss: tf.add(target, tf.mul(source, entities.tradeOff)),
      outputs: { target_loss: target, source_loss: source },
    };
  },
});

/** A class for each text of a batch. Input `labels` int32 [batch]. */
export const classifiedTexts = (batch: number): Objective => ({
  heads: targetHeadTensors,
  batch: { labels: { shape: [batch], dtype: 'int32' } },
  loss({ network, features, weights, held }) {
    const logits = classify(network, features, weights, targetHead);
    const labels = tf.oneHot(held.labels as tf.Tensor1D, network.targetClasses, 1, 0, 'float32');
    return { loss: crossEntropy(logits, labels as tf.Tensor2D) };
  },
});
