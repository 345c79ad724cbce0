import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from './cross-entropy.ts';

/**
 * KL(softmax(t / T) ‖ softmax(z / T)), the mean over a batch in nats, of a teacher's logits t and a student's z, both [batch, classes];
 * no gradient flows into the teacher's. With `counts` [batch, 1] each row counts its own. Hinton, Vinyals, Dean, «Distilling the Knowledge in a Neural Network», 2015, section 2, without
 * its factor T².
 */
export function softenedDivergence(
  student: tf.Tensor2D,
  teacher: tf.Tensor2D,
  temperature: number,
  counts: tf.Tensor2D | null = null,
): tf.Scalar {
  const softened = tf.div(teacher, temperature) as tf.Tensor2D;
  const shifted = tf.sub(softened, tf.max(softened, 1, true));
  const logProbabilities = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
  const probabilities = tf.exp(logProbabilities) as tf.Tensor2D;
  const products = tf.mul(probabilities, logProbabilities);
  const counted = counts ? tf.mul(products, counts) : products;
  const negativeEntropy = tf.div(tf.sum(counted), teacher.shape[0]);
  const cross = crossEntropy(tf.div(student, temperature) as tf.Tensor2D, probabilities, counts);
  return tf.add(cross, negativeEntropy) as tf.Scalar;
}
