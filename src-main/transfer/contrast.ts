/** The two contrastive losses of Bi-Tuning over queues of keys by class. Zhong et al., «Bi-tuning of Pre-trained Representations», 2020. */
import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from './cross-entropy.ts';

/** Rows of length one. */
export const unit = (rows: tf.Tensor2D): tf.Tensor2D =>
  tf.div(rows, tf.sqrt(tf.add(tf.sum(tf.square(rows), 1, true), 1e-12))) as tf.Tensor2D;

/** Features with a one behind, of length one: what a classifier's weights with their bias behind are compared with. */
export const withOne = (features: tf.Tensor2D): tf.Tensor2D =>
  unit(tf.concat([features, tf.ones([features.shape[0], 1])], 1));

/**
 * Categorical contrastive learning loss, equation 4: each query z [batch, width] (of any length) against its own key and the queues
 * [classes · K, width] (of length one); positive are its own key and its class's queue, evenly. The mean over the batch.
 */
export function categoricalContrast(
  z: tf.Tensor2D,
  keys: tf.Tensor2D,
  queue: tf.Tensor2D,
  labels: tf.Tensor2D,
  temperature: number,
): tf.Scalar {
  const query = unit(z);
  const own = tf.sum(tf.mul(query, keys), 1, true);
  return uniformOverPositives(own, tf.matMul(query, queue, false, true), labels, temperature);
}

/**
 * Contrastive cross-entropy loss, equation 3: the weights with bias of each image's class, [classes, width + 1] of length one, against
 * the image's own features with a one behind [batch, width + 1] and the queues; positive are its own and its class's. The mean over the batch.
 */
export function contrastiveCrossEntropy(
  classifier: tf.Tensor2D,
  features: tf.Tensor2D,
  queue: tf.Tensor2D,
  labels: tf.Tensor2D,
  temperature: number,
): tf.Scalar {
  const query = tf.matMul(labels, classifier) as tf.Tensor2D;
  const own = tf.sum(tf.mul(query, features), 1, true);
  return uniformOverPositives(own, tf.matMul(query, queue, false, true), labels, temperature);
}

/** Cross-entropy of softmax([own, queued] / τ) with the uniform distribution over the K + 1 positives. */
function uniformOverPositives(
  own: tf.Tensor,
  queued: tf.Tensor,
  labels: tf.Tensor2D,
  temperature: number,
): tf.Scalar {
  const [batch, classes] = labels.shape;
  const length = queued.shape[1]! / classes;
  const share = 1 / (length + 1);
  const positive = tf.reshape(tf.tile(tf.expandDims(labels, 2), [1, 1, length]), [batch, classes * length]);
  const distribution = tf.concat([tf.fill([batch, 1], share), tf.mul(positive, share)], 1);
  const logits = tf.div(tf.concat([own, queued], 1), temperature);
  return crossEntropy(logits as tf.Tensor2D, distribution as tf.Tensor2D);
}
