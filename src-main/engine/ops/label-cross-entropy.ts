import * as tf from '@tensorflow/tfjs-core';
import { ownKernel } from './own-kernel.ts';

/**
 * Mean cross-entropy −w_i log softmax(z_i)[y_i] of rows with one label each: logits z [rows, classes], labels y int32 [rows], weights
 * w [rows, 1] → scalar in nats. Its gradient is w (softmax(z) − y) / rows. No distribution over the classes is made of a label:
 * with a vocabulary for classes it would be as large as the logits.
 */
export function labelCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D, weights: tf.Tensor2D): tf.Scalar {
  const [rows, classes] = logits.shape;
  const op = tf.customGrad((...inputs) => {
    const [z, save] = inputs as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const probabilities = tf.softmax(z);
    // log Σ exp z = max z − log max p, where nothing can vanish.
    const most = tf.max(z, 1) as tf.Tensor1D;
    const sums = tf.sub(most, tf.log(tf.max(probabilities, 1)));
    const begins = tf.tensor1d(
      Int32Array.from({ length: rows }, (_, row) => row * classes),
      'int32',
    );
    const own = tf.gather(tf.reshape(z, [rows * classes]), tf.add(begins, labels));
    const loss = tf.mul(tf.sub(sums, own), tf.reshape(weights, [rows]));
    save([probabilities, labels, weights]);
    const gradFunc = (dy: tf.Tensor, [p, y, w]: tf.Tensor[]) => less(p, y, tf.mul(w, tf.div(dy, rows)));
    return { value: tf.div(tf.sum(loss), rows), gradFunc };
  });
  return op(logits) as tf.Scalar;
}

/** factor · (p − one-hot labels), factor [rows, 1]. */
const less = (p: tf.Tensor, labels: tf.Tensor, factor: tf.Tensor): tf.Tensor =>
  ownKernel('LessLabels', { x: p, labels, factor }, {}, () =>
    tf.mul(tf.sub(p, tf.oneHot(labels as tf.Tensor1D, p.shape[1]!, 1, 0, 'float32')), factor),
  );
