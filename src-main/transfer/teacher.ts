import * as tf from '@tensorflow/tfjs-core';
import type { Preprocessing } from '../../src-shared/domain.ts';
import type { Tensors } from '../engine/engine.ts';
import { classify, evaluationScope, type Network } from './network.ts';

/** The trained network of another run: its own head, named as its source head, scores the target classes. */
export interface Teacher {
  network: Network;
  /** How images are normalized for it, and for the network that learns. */
  normalization: Pick<Preprocessing, 'mean' | 'std'>;
  learners: Pick<Preprocessing, 'mean' | 'std'>;
}

/**
 * Target logits [batch, targets] that a teacher gives for the very images that the learner sees [batch, size, size, 3], in
 * evaluation mode. `tensors` are the teacher's by its own names.
 */
export function teacherLogits(
  { network, normalization, learners }: Teacher,
  images: tf.Tensor4D,
  tensors: Tensors,
): tf.Tensor2D {
  // (x · σ + μ − μ′) / σ′: from the learner's normalization to its own.
  const scale = learners.std.map((deviation, channel) => deviation / normalization.std[channel]);
  const shift = learners.mean.map(
    (mean, channel) => (mean - normalization.mean[channel]) / normalization.std[channel],
  );
  const isSame = scale.every((each) => each === 1) && shift.every((each) => each === 0);
  const seen = isSame
    ? images
    : (tf.add(tf.mul(images, tf.tensor1d(scale)), tf.tensor1d(shift)) as tf.Tensor4D);
  const features = network.backbone.forward(seen, evaluationScope(network, tensors));
  return classify(network, features, tensors, network.backbone.head);
}
