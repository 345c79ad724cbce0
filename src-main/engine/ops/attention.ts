import * as tf from '@tensorflow/tfjs-core';
import { ownKernel } from './own-kernel.ts';

/** What changes which keys a query takes from, and how much. No gradient follows from either. */
export interface AttentionLimits {
  /** Added to the scores of every key [batch, count]: 0, or so far below zero that the key is not seen. */
  bias?: tf.Tensor;
  /** Factors on the softmax's weights [batch, heads, count, count]: a mask of dropped ones. */
  kept?: tf.Tensor;
}

/**
 * (softmax(Q Kᵀ / √d + bias) ∘ kept) V for every head: x [batch, count, 3 · heads · d], which holds queries, keys and values one
 * after the other, → [batch, count, heads · d]. Vaswani et al., «Attention Is All You Need», NeurIPS 2017, equation 1. With P the
 * softmax, M what is kept and O the result its gradient is dV = (P ∘ M)ᵀ dO, dQ = dS K / √d and dK = dSᵀ Q / √d, where
 * dS = P ∘ (M ∘ dO Vᵀ - rows' sums of dO ∘ O). Dao et al., «FlashAttention», NeurIPS 2022, appendix B.2.
 */
export function attention(x: tf.Tensor3D, heads: number, limits: AttentionLimits = {}): tf.Tensor3D {
  const op = tf.customGrad((...inputs) => {
    const [packed, save] = inputs as unknown as [tf.Tensor3D, tf.GradSaveFunc];
    const value = ownKernel('Attention', { x: packed, ...limits }, { heads }, () => {
      const { weights, value } = weighed(packed, heads, limits);
      return merged(tf.matMul(weights, value));
    });
    // What the gradient uses must be saved: everything else of the forward pass is freed before it runs.
    save([packed, value, ...Object.values(limits)]);
    const gradFunc = (dy: tf.Tensor, [kept, result, ...others]: tf.Tensor[]) => {
      const saved = Object.fromEntries(Object.keys(limits).map((name, index) => [name, others[index]]));
      return gradient(dy, kept, result, heads, saved);
    };
    return { value, gradFunc };
  });
  return op(x) as tf.Tensor3D;
}

function gradient(dy: tf.Tensor, x: tf.Tensor, y: tf.Tensor, heads: number, limits: AttentionLimits) {
  return ownKernel('AttentionGrad', { dy, x, y, ...limits }, { heads }, () => {
    const { scale, query, key, value, softmax, weights } = weighed(x, heads, limits);
    const [slope] = split(dy, 1, heads);
    const [product] = split(tf.mul(dy, y), 1, heads);
    const along = tf.sum(product, -1, true);
    const towards = keep(tf.matMul(slope, value, false, true), limits);
    const scores = tf.mul(tf.mul(softmax, tf.sub(towards, along)), scale);
    const parts = [tf.matMul(scores, key), tf.matMul(scores, query, true), tf.matMul(weights, slope, true)];
    return tf.concat(parts.map(merged), -1);
  });
}

function weighed(x: tf.Tensor, heads: number, limits: AttentionLimits) {
  const [query, key, value] = split(x, 3, heads);
  const scale = query.shape[3] ** -0.5;
  const scores = tf.mul(tf.matMul(query, key, false, true), scale);
  const [batch, , count] = query.shape;
  const { bias } = limits;
  const softmax = tf.softmax(bias ? tf.add(scores, tf.reshape(bias, [batch, 1, 1, count])) : scores);
  return { scale, query, key, value, softmax, weights: keep(softmax, limits) };
}

const keep = (weights: tf.Tensor, { kept }: AttentionLimits): tf.Tensor =>
  kept ? tf.mul(weights, kept) : weights;

/** [batch, count, parts · heads · d] as so many of [batch, heads, count, d]. */
function split(x: tf.Tensor, parts: number, heads: number): tf.Tensor4D[] {
  const [batch, count, channels] = x.shape;
  const whole = tf.reshape(x, [batch, count, parts, heads, channels / parts / heads]);
  return tf.unstack(tf.transpose(whole, [2, 0, 3, 1, 4]), 0) as tf.Tensor4D[];
}

/** [batch, heads, count, d] as [batch, count, heads · d]. */
function merged(x: tf.Tensor): tf.Tensor {
  const [batch, heads, count, depth] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, count, heads * depth]);
}
