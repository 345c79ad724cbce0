import * as tf from '@tensorflow/tfjs-core';

/**
 * Mean cross-entropy -Σ_k q_k log softmax(z)_k over a batch, with its gradient (softmax(z) - q) / batch written out;
 * q rows sum to one. logits [batch, classes], distributions q [batch, classes] → scalar in nats. With weights [batch, 1]
 * each image's part of the sum is multiplied by its own.
 */
export function crossEntropy(
  logits: tf.Tensor2D,
  distributions: tf.Tensor2D,
  weights: tf.Tensor2D | null = null,
): tf.Scalar {
  const batch = logits.shape[0];
  const weighed = (rows: tf.Tensor, by: tf.Tensor | null = weights): tf.Tensor =>
    by ? tf.mul(rows, by) : rows;
  const op = tf.customGrad((...inputs) => {
    const [z, save] = inputs as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const shifted = tf.sub(z, tf.max(z, 1, true));
    const logProbabilities = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
    save([logProbabilities, distributions, ...(weights ? [weights] : [])]);
    const sum = tf.sum(weighed(tf.mul(distributions, logProbabilities)));
    const value = tf.neg(tf.div(sum, batch)) as tf.Scalar;
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        weighed(tf.mul(tf.sub(tf.exp(saved[0]), saved[1]), tf.div(dy, batch)), saved[2]),
    };
  });
  return op(logits) as tf.Scalar;
}
