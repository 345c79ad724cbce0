import * as tf from '@tensorflow/tfjs-core';

export interface BatchNormResult {
  y: tf.Tensor4D;
  /** Mean of the batch, [channels]. */
  mean: tf.Tensor1D;
  /** Biased variance of the batch, [channels]. */
  variance: tf.Tensor1D;
}

/**
 * Batch norm with the batch's own statistics over [batch, h, w, channels]:
 * y = γ (x - μ) / √(σ² + ε) + β. Ioffe and Szegedy, «Batch Normalization», ICML 2015, algorithm 1.
 * Its gradient is written per channel as dx = A·dy + B·x + C, three passes over the activations:
 * with r = 1/√(σ²+ε), n values per channel, dβ = Σ dy, dγ = r (Σ dy·x - μ dβ):
 * A = γ r, B = -γ r² dγ / n, C = -γ r dβ / n - μ B.
 */
export function batchNormTraining(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): BatchNormResult {
  const mean: tf.Tensor1D = tf.mean(x, [0, 1, 2]);
  const variance: tf.Tensor1D = tf.relu(tf.sub(tf.mean(tf.square(x), [0, 1, 2]), tf.square(mean)));
  const r = tf.rsqrt(tf.add(variance, epsilon)) as tf.Tensor1D;
  const perChannel = x.size / x.shape[3];

  const normalize = tf.customGrad((...inputs) => {
    const [input, scale, shift, save] = inputs as unknown as [
      tf.Tensor4D,
      tf.Tensor1D,
      tf.Tensor1D,
      tf.GradSaveFunc,
    ];
    // What the gradient uses must be saved: everything else of the forward pass is freed before it runs.
    save([input, scale, mean, r]);
    const slope = tf.mul(scale, r);
    const value = tf.add(tf.mul(input, slope), tf.sub(shift, tf.mul(mean, slope)));
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [kept, weight, center, inverse] = saved;
      const dBeta = tf.sum(dy, [0, 1, 2]);
      const dGamma = tf.mul(inverse, tf.sub(tf.sum(tf.mul(dy, kept), [0, 1, 2]), tf.mul(center, dBeta)));
      const a = tf.mul(weight, inverse);
      const b = tf.neg(tf.div(tf.mul(tf.mul(a, inverse), dGamma), perChannel));
      const c = tf.neg(tf.add(tf.div(tf.mul(a, dBeta), perChannel), tf.mul(center, b)));
      const dx = tf.add(tf.mul(dy, a), tf.add(tf.mul(kept, b), c));
      return [dx, dGamma, dBeta];
    };
    return { value, gradFunc };
  });
  return { y: normalize(x, gamma, beta) as tf.Tensor4D, mean, variance };
}

/** Batch norm with given statistics: one multiplication and one addition per element. */
export function batchNormEvaluation(
  x: tf.Tensor4D,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  epsilon: number,
): tf.Tensor4D {
  const slope = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(x, slope), tf.sub(beta, tf.mul(mean, slope)));
}

/** PyTorch's running statistics: new = 0.9 old + 0.1 batch, with the unbiased variance of the batch. */
export function updateRunning(running: tf.Tensor, batch: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(running, 0.9), tf.mul(batch, 0.1));
}
