import * as tf from '@tensorflow/tfjs-core';
import type { Scope, TensorDescription } from '../backbones/backbone.ts';
import type { Specs, Tensors } from '../engine/engine.ts';
import { pooled } from './evaluation-program.ts';
import type { Network } from './network.ts';
import { placesSpecs } from './places.ts';

/** What a batch is like. */
export interface BatchShape {
  batch: number;
  /** Side of the square images in pixels, or pieces of a text, padding included. */
  size: number;
}

/** What counts of a batch's features, row by row: for images, the images. */
export interface Rows {
  /** What the target head takes of the features. */
  target: tf.Tensor;
  /** Features as the heads read them, in a row for each [rows, …]; rows that count nothing are zero. */
  features: tf.Tensor2D;
  /** The same, as means over places where they are an image [rows, features]. */
  pooled: tf.Tensor2D;
  /** What each row counts in the target's loss [rows, 1], about 1; null where all count alike. */
  counts: tf.Tensor2D | null;
  /** What the source head sees; where it is not what the target head sees, with the category of each row. */
  source: { features: tf.Tensor; labels: tf.Tensor2D | null; counts: tf.Tensor2D | null };
}

/** What a compiled step is fed of a batch, by what kind of samples it holds. */
export interface StepInput {
  /** Inputs, the label of every row as `labels` int32 [rows] among them; `sourced`: whether the source head is used. */
  specs(shape: BatchShape, network: Network, sourced: boolean): Specs;
  /** Name of the input that the backbone takes. */
  takes: string;
  /** What a pass is told of it besides. */
  scope(fed: Tensors): Pick<Scope, 'present' | 'segments'>;
  rows(features: tf.Tensor, fed: Tensors, network: Network): Rows;
  /** Whether weight decay applies to a tensor. */
  decays(tensor: TensorDescription): boolean;
}

/** A batch as passes see it: what its input goes with, and the rows of what comes out. */
export interface Seen {
  scope: Pick<Scope, 'present' | 'segments'>;
  rowsOf(features: tf.Tensor): Rows;
}

/** Images [batch, size, size, 3], each of one class. */
export const imageInput: StepInput = {
  takes: 'images',
  specs: ({ batch, size }) => ({
    images: { shape: [batch, size, size, 3], dtype: 'float32' },
    labels: { shape: [batch], dtype: 'int32' },
  }),
  scope: () => ({}),
  rows: (features) => ({
    target: features,
    features: tf.reshape(features, [features.shape[0], -1]) as tf.Tensor2D,
    pooled: pooled(features),
    counts: null,
    source: { features, labels: null, counts: null },
  }),
  decays: () => true,
};

const textSpecs = ({ batch, size }: BatchShape): Specs => ({
  pieces: { shape: [batch, size], dtype: 'int32' },
  present: { shape: [batch, size], dtype: 'float32' },
});

const ofText = {
  takes: 'pieces',
  scope: ({ present }: Tensors) => ({ present }),
  // As in BERT's own training: biases and norms are left alone.
  decays: ({ kind }: TensorDescription) => kind !== 'vector',
};

/**
 * Texts of one class each: pieces int32 [batch, size], present [batch, size] (0 where there is padding). A row is a text: the new head
 * takes its first piece through the pooler; the source head the mean of its pieces, since masked language modelling never asks it
 * about the first one.
 */
export const classifiedTexts: StepInput = {
  ...ofText,
  specs: (shape) => ({ ...textSpecs(shape), labels: { shape: [shape.batch], dtype: 'int32' } }),
  rows(features, { present }) {
    const [batch, , width] = features.shape;
    const first = tf.reshape(tf.slice(features, [0, 0, 0], [batch, 1, width]), [batch, width]) as tf.Tensor2D;
    return {
      target: features,
      features: first,
      pooled: first,
      counts: null,
      source: { features: meanOfPieces(features as tf.Tensor3D, present), labels: null, counts: null },
    };
  },
};

/** Means [batch, features] over the pieces of each text, without [CLS], which is the first, and [SEP], the last; zero of none. */
function meanOfPieces(features: tf.Tensor3D, present: tf.Tensor): tf.Tensor2D {
  const [batch, size, width] = features.shape;
  if (size < 3) return tf.zeros([batch, width]);
  // A piece is no [SEP] where another one follows.
  const inner = tf.slice(present, [0, 2], [batch, size - 2]);
  const shares = tf.div(inner, tf.maximum(tf.sum(inner, 1, true), 1));
  const pieces = tf.slice(features, [0, 1, 0], [batch, size - 2, width]);
  return tf.reshape(tf.matMul(tf.reshape(shares, [batch, 1, size - 2]), pieces), [
    batch,
    width,
  ]) as tf.Tensor2D;
}

/** Share of a batch's places that the source head sees at most. */
const entityShare = 0.25;

/** How many pieces of entities the source head sees in a batch at most. */
export const mostEntities = ({ batch, size }: BatchShape): number => Math.ceil(entityShare * batch * size);

/**
 * Texts with a tag for each word: a row is a piece, which counts where a word begins: labels int32 [batch · size], counts [batch · size, 1].
 * The source head sees first pieces of entities alone, whose categories are the types: inputs `entity_…`, see `placesSpecs`. You et
 * al., «Co-Tuning for Transfer Learning», NeurIPS 2020, section 5.4.
 */
export const taggedTexts: StepInput = {
  ...ofText,
  specs(shape, _, sourced) {
    const rows = shape.batch * shape.size;
    return {
      ...textSpecs(shape),
      labels: { shape: [rows], dtype: 'int32' },
      counts: { shape: [rows, 1], dtype: 'float32' },
      ...(sourced && placesSpecs('entity', mostEntities(shape))),
    };
  },
  rows(features, fed, network) {
    const [batch, size, width] = features.shape;
    const all = tf.reshape(features, [batch * size, width]) as tf.Tensor2D;
    const counts = fed.counts as tf.Tensor2D;
    const some = tf.mul(all, tf.cast(tf.greater(counts, 0), 'float32')) as tf.Tensor2D;
    const source = fed.entity_places && {
      features: tf.gather(all, fed.entity_places),
      labels: oneHot(fed.entity_labels as tf.Tensor1D, categoriesOf(network)),
      counts: fed.entity_counts as tf.Tensor2D,
    };
    return {
      target: all,
      features: some,
      pooled: some,
      counts,
      source: source ?? { features: all, labels: null, counts },
    };
  },
};

/** Also of a single category, which tf.js's operation has no vector for. */
const oneHot = (labels: tf.Tensor1D, categories: number): tf.Tensor2D =>
  categories === 1
    ? tf.ones([labels.shape[0], 1])
    : (tf.oneHot(labels, categories, 1, 0, 'float32') as tf.Tensor2D);

/** Rows of a relationship: the target classes, or the types of entities. */
export const categoriesOf = ({ categories, targetClasses }: Network): number => categories ?? targetClasses;
