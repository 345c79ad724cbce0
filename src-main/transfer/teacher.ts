import * as tf from '@tensorflow/tfjs-core';
import type { Preprocessing } from '../../src-shared/domain.ts';
import type { Tensors } from '../engine/engine.ts';
import { classify, evaluationScope, type Network, targetHead } from './network.ts';
import type { Seen } from './step-input.ts';

type Normalization = Pick<Preprocessing, 'mean' | 'std'>;

/** The trained network of another run, whose own head scores the target classes. */
export interface Teacher {
  network: Network;
  /** Under which of the network's names its own head is. */
  head: 'source' | 'target';
  /** How images are normalized for it, and for the network that learns; null of texts, whose pieces have to be the same. */
  normalization: { own: Normalization; learners: Normalization } | null;
}

/**
 * Target logits [rows, targets] that a teacher gives for the very batch that the learner sees, in evaluation mode. `tensors` are the
 * teacher's by its own names.
 */
export function teacherLogits(
  { network, head, normalization }: Teacher,
  input: tf.Tensor,
  { scope, rowsOf }: Seen,
  tensors: Tensors,
): tf.Tensor2D {
  const seen = normalization ? renormalized(input, normalization) : input;
  const features = network.backbone.forward(seen, { ...evaluationScope(network, tensors), ...scope });
  return classify(
    network,
    rowsOf(features).target,
    tensors,
    head === 'source' ? network.backbone.head : targetHead,
  );
}

function renormalized(
  images: tf.Tensor,
  { own: normalization, learners }: NonNullable<Teacher['normalization']>,
): tf.Tensor {
  // (x · σ + μ − μ′) / σ′: from the learner's normalization to its own.
  const scale = learners.std.map((deviation, channel) => deviation / normalization.std[channel]);
  const shift = learners.mean.map(
    (mean, channel) => (mean - normalization.mean[channel]) / normalization.std[channel],
  );
  const isSame = scale.every((each) => each === 1) && shift.every((each) => each === 0);
  return isSame ? images : tf.add(tf.mul(images, tf.tensor1d(scale)), tf.tensor1d(shift));
}
