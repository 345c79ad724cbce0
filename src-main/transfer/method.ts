import type * as tf from '@tensorflow/tfjs-core';

/** What a method's loss is made of, for one batch. */
export interface LossInputs {
  /** [batch, targets] */
  targetLogits: tf.Tensor2D;
  /** One-hot target labels [batch, targets]. */
  targets: tf.Tensor2D;
  /** [batch, sources]; null where the method leaves the source head out. */
  sourceLogits: tf.Tensor2D | null;
  /** p(source | target) [targets, sources]; null where the method uses none. */
  relationship: tf.Tensor2D | null;
  /** Weight λ of the source term. */
  tradeOff: number;
}

/** The loss to minimize and its named parts, all scalars. */
export interface Loss {
  total: tf.Scalar;
  parts: Record<string, tf.Scalar>;
}

export interface TransferMethod {
  /** Whether the source head takes part (and is trained), translated by a learned relationship. */
  usesRelationship: boolean;
  loss(inputs: LossInputs): Loss;
}
