import * as tf from '@tensorflow/tfjs-core';

/** Channels that are normalized by running statistics while training. */
export interface MixedStatistics {
  mean: tf.Tensor;
  variance: tf.Tensor;
  /** [channels]: 1 for the batch's statistics, 0 for the running ones. */
  batch: tf.Tensor;
}

export interface BatchNormResult {
  y: tf.Tensor4D;
  /** Mean of the batch, [channels]. */
  mean: tf.Tensor1D;
  /** Biased variance of the batch, [channels]. */
  variance: tf.Tensor1D;
}

/**
 * Batch norm with the batch's own statistics over [batch, h, w, channels]: y = γ r (x - μ) + β with r = 1/√(σ² + ε). Ioffe
 * and Szegedy, «Batch Normalization», ICML 2015, algorithm 1.
 *
 * `near` [channels] is a value near μ; what is kept is s = x - near, which a convolution before makes at no cost. With
 * δ = E[s] the variance is E[s²] - δ²: near μ that loses no digits, as E[x²] - μ² would. Chan, Golub and LeVeque, «Algorithms
 * for Computing the Sample Variance», The American Statistician 37 (1983), equation 1.7.
 *
 * Where `mixed` says so, a channel is normalized by its running statistics instead, which are constants: then r and δ are
 * theirs, and of dx the terms that go through the batch's statistics are left out. Kou et al., «Stochastic Normalization»,
 * NeurIPS 2020.
 *
 * With n values per channel, dβ = Σ dy and dγ = r (Σ dy·s - δ dβ), the gradient is
 * dx = γ r · (dy - (r dγ / n) · (s - δ) - dβ / n): one pass and a factor per channel.
 */
export function batchNormTraining(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  near: tf.Tensor1D,
  mixed?: MixedStatistics,
): BatchNormResult {
  const over = [0, 1, 2];
  const shifted = tf.sub(x, near);
  const delta: tf.Tensor1D = tf.mean(shifted, over);
  const variance: tf.Tensor1D = tf.relu(tf.sub(tf.mean(tf.square(shifted), over), tf.square(delta)));
  const ofBatch = tf.rsqrt(tf.add(variance, epsilon));
  const count = x.size / x.shape[3];
  const either = (batch: tf.Tensor, running: tf.Tensor): tf.Tensor =>
    tf.add(tf.mul(mixed!.batch, batch), tf.mul(tf.sub(1, mixed!.batch), running));
  const r = mixed ? either(ofBatch, tf.rsqrt(tf.add(mixed.variance, epsilon))) : ofBatch;
  const center = mixed ? either(delta, tf.sub(mixed.mean, near)) : delta;
  const through = mixed ? [tf.mul(mixed.batch, -1 / count)] : [];

  const normalize = tf.customGrad((...inputs) => {
    const [, scale, shift, save] = inputs as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const slope = tf.mul(scale, r);
    // What the gradient uses must be saved: everything else of the forward pass is freed before it runs.
    save([shifted, center, slope, r, ...through]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [s, offCenter, gammaR, inverse, perValue = -1 / count] = saved;
      const dBeta = tf.sum(dy, over);
      const dGamma = tf.mul(inverse, tf.sub(tf.sum(tf.mul(dy, s), over), tf.mul(offCenter, dBeta)));
      const perShifted = tf.mul(tf.mul(inverse, dGamma), perValue);
      const offset = tf.sub(tf.mul(dBeta, perValue), tf.mul(perShifted, offCenter));
      const dx = tf.mul(tf.add(dy, tf.add(tf.mul(s, perShifted), offset)), gammaR);
      return [dx, dGamma, dBeta];
    };
    const value = tf.add(tf.mul(shifted, slope), tf.sub(shift, tf.mul(center, slope)));
    return { value, gradFunc };
  });
  return { y: normalize(x, gamma, beta) as tf.Tensor4D, mean: tf.add(near, delta), variance };
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
 * PyTorch's running statistics: new = (1 - momentum) old + momentum batch. Of the biased variance over `count` values the
 * unbiased one is taken.
 */
export function updateRunning(
  running: { mean: tf.Tensor; variance: tf.Tensor },
  batch: Pick<BatchNormResult, 'mean' | 'variance'>,
  count: number,
  momentum: number,
): { mean: tf.Tensor; variance: tf.Tensor } {
  const next = (old: tf.Tensor, value: tf.Tensor, factor: number) =>
    tf.add(tf.mul(old, 1 - momentum), tf.mul(value, momentum * factor));
  return {
    mean: next(running.mean, batch.mean, 1),
    variance: next(running.variance, batch.variance, count / Math.max(1, count - 1)),
  };
}
