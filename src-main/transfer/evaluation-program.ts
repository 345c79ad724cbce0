import * as tf from '@tensorflow/tfjs-core';
import type { Program } from '../engine/engine.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type HeadChoice,
  type Network,
  specsOf,
  targetHead,
} from './network.ts';

/**
 * A pass in evaluation mode: images [batch, size, size, 3] → `logits` [batch, `outputWidth` of the head]. Every state tensor
 * may be given as a constant.
 */
export function evaluationProgram(network: Network, head: HeadChoice, batch: number, size: number): Program {
  const { backbone } = network;
  return {
    state: specsOf(evaluationTensors(network, head)),
    batch: { images: { shape: [batch, size, size, 3], dtype: 'float32' } },
    step(state, fed) {
      const features = backbone.forward(fed.images as tf.Tensor4D, evaluationScope(network, state));
      if (head === 'features') return { state: {}, outputs: { logits: pooled(features) } };
      const logits = classify(network, features, state, head === 'target' ? targetHead : backbone.head);
      if (head !== 'source-and-features') return { state: {}, outputs: { logits } };
      return { state: {}, outputs: { logits: tf.concat([logits, pooled(features)], 1) } };
    },
  };
}

/** Features as the backbone leaves them → [batch, features]: the mean over places where they are an image. */
export const pooled = (features: tf.Tensor): tf.Tensor2D =>
  (features.rank === 4 ? tf.mean(features, [1, 2]) : features) as tf.Tensor2D;
