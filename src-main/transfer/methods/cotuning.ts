import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from '../cross-entropy.ts';
import type { TransferMethod } from '../method.ts';

/**
 * Co-Tuning: loss = CE(H(F(x)), y_t) + λ · CE(G_s(F(x)), p(y_s | y_t)).
 * You, Kou, Long, Wang, «Co-Tuning for Transfer Learning», NeurIPS 2020, equation 2; λ = 2.3 in its experiments.
 */
export const cotuning: TransferMethod = {
  usesRelationship: true,
  loss({ targetLogits, targets, sourceLogits, relationship, tradeOff }) {
    if (!sourceLogits || !relationship) throw new Error('Co-tuning needs source logits and a relationship.');
    const target = crossEntropy(targetLogits, targets);
    // p(y_s | y_t) of each image's label: a row of the relationship picked by its one-hot label.
    const source = crossEntropy(sourceLogits, tf.matMul(targets, relationship));
    const total = tf.add(target, tf.mul(source, tradeOff)) as tf.Scalar;
    return { total, parts: { loss: total, target_loss: target, source_loss: source } };
  },
};
