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
 * y = γ c r + β with c = x - μ, r = 1/√(σ² + ε). Ioffe and Szegedy, «Batch Normalization», ICML 2015, algorithm 1.
 * The variance is the mean of c²: that of x² less μ² loses digits. With n values per channel, dβ = Σ dy and
 * dγ = r Σ dy·c, the gradient is dx = γ r · (dy - (r dγ / n) · c - dβ / n): one pass and a factor per channel.
 */
export function batchNormTraining(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): BatchNormResult {
  const over = [0, 1, 2];
  const mean: tf.Tensor1D = tf.mean(x, over);
  const centered = tf.sub(x, mean);
  const variance: tf.Tensor1D = tf.mean(tf.square(centered), over);
  const r = tf.rsqrt(tf.add(variance, epsilon));
  const count = x.size / x.shape[3];

  const normalize = tf.customGrad((...inputs) => {
    const [, scale, shift, save] = inputs as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const slope = tf.mul(scale, r);
    // What the gradient uses must be saved: everything else of the forward pass is freed before it runs.
    save([centered, slope, r]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [c, gammaR, inverse] = saved;
      const dBeta = tf.sum(dy, over);
      const dGamma = tf.mul(inverse, tf.sum(tf.mul(dy, c), over));
      const perCentered = tf.mul(tf.mul(inverse, dGamma), -1 / count);
      const offset = tf.mul(dBeta, -1 / count);
      const dx = tf.mul(tf.add(dy, tf.add(tf.mul(c, perCentered), offset)), gammaR);
      return [dx, dGamma, dBeta];
    };
    return { value: tf.add(tf.mul(centered, slope), shift), gradFunc };
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

/**
 * PyTorch's running statistics: new = 0.9 old + 0.1 batch. Of the biased variance over `count` values the unbiased one
 * is taken.
 */
export function updateRunning(
  running: { mean: tf.Tensor; variance: tf.Tensor },
  batch: Pick<BatchNormResult, 'mean' | 'variance'>,
  count: number,
): { mean: tf.Tensor; variance: tf.Tensor } {
  const next = (old: tf.Tensor, value: tf.Tensor, factor: number) =>
    tf.add(tf.mul(old, 0.9), tf.mul(value, 0.1 * factor));
  return {
    mean: next(running.mean, batch.mean, 1),
    variance: next(running.variance, batch.variance, count / Math.max(1, count - 1)),
  };
}
