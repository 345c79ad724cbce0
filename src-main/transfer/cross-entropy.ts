import * as tf from '@tensorflow/tfjs-core';

/**
 * Mean cross-entropy -Σ_k q_k log softmax(z)_k over a batch, with its gradient (softmax(z) - q) / batch written out;
 * q rows sum to one. logits [batch, classes], distributions q [batch, classes] → scalar in nats.
 */
export function crossEntropy(logits: tf.Tensor2D, distributions: tf.Tensor2D): tf.Scalar {
  const batch = logits.shape[0];
  const op = tf.customGrad((...inputs) => {
    const [z, save] = inputs as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const shifted = tf.sub(z, tf.max(z, 1, true));
    const logProbabilities = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
    save([logProbabilities, distributions]);
    const value = tf.neg(tf.div(tf.sum(tf.mul(distributions, logProbabilities)), batch)) as tf.Scalar;
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.mul(tf.sub(tf.exp(saved[0]), saved[1]), tf.div(dy, batch)),
    };
  });
  return op(logits) as tf.Scalar;
}
