import * as tf from '@tensorflow/tfjs-core';
import { ownKernel } from './own-kernel.ts';

/**
 * softmax(Q Kᵀ / √d) V for every head: x [batch, count, 3 · heads · d], which holds queries, keys and values one after the other, →
 * [batch, count, heads · d]. Vaswani et al., «Attention Is All You Need», NeurIPS 2017, equation 1. With P the softmax and O the
 * result its gradient is dV = Pᵀ dO, dQ = dS K / √d and dK = dSᵀ Q / √d, where dS = P ∘ (dO Vᵀ - rows' sums of dO ∘ O). Dao et al.,
 * «FlashAttention», NeurIPS 2022, appendix B.2.
 */
export function attention(x: tf.Tensor3D, heads: number): tf.Tensor3D {
  const op = tf.customGrad((...inputs) => {
    const [packed, save] = inputs as unknown as [tf.Tensor3D, tf.GradSaveFunc];
    const value = ownKernel('Attention', { x: packed }, { heads }, () => {
      const { weights, value } = weighed(packed, heads);
      return merged(tf.matMul(weights, value));
    });
    save([packed, value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => gradient(dy, saved, heads);
    return { value, gradFunc };
  });
  return op(x) as tf.Tensor3D;
}

function gradient(dy: tf.Tensor, [x, y]: tf.Tensor[], heads: number): tf.Tensor {
  return ownKernel('AttentionGrad', { dy, x, y }, { heads }, () => {
    const { scale, query, key, value, weights } = weighed(x, heads);
    const [slope] = split(dy, 1, heads);
    const [product] = split(tf.mul(dy, y), 1, heads);
    const along = tf.sum(product, -1, true);
    const scores = tf.mul(tf.mul(weights, tf.sub(tf.matMul(slope, value, false, true), along)), scale);
    const parts = [tf.matMul(scores, key), tf.matMul(scores, query, true), tf.matMul(weights, slope, true)];
    return tf.concat(parts.map(merged), -1);
  });
}

function weighed(x: tf.Tensor, heads: number) {
  const [query, key, value] = split(x, 3, heads);
  const scale = query.shape[3] ** -0.5;
  const weights = tf.softmax(tf.mul(tf.matMul(query, key, false, true), scale));
  return { scale, query, key, value, weights };
}

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
