import type * as tf from '@tensorflow/tfjs-core';
import type { z } from 'zod';
import type { Approach } from '../../src-shared/domain.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import type { MaskSite, TensorDescription } from '../backbones/backbone.ts';
import type { Description } from '../backbones/description.ts';
import type { Random } from '../data/random.ts';
import type { Arrays, Executable, Program, Specs, Tensors } from '../engine/engine.ts';
import type { Network } from './network.ts';
import type { Described } from './part.ts';
import type { BatchShape, StepInput } from './step-input.ts';

/** One batch, as the terms of a loss see it: rows of it, which are its images, its texts, or the pieces of its tagged texts. */
export interface StepView {
  /** Distribution over the target classes for each image [batch, targets]: one-hot, or mixed as the images are. */
  labels: tf.Tensor2D;
  /** [batch, targets] */
  targetLogits: tf.Tensor2D;
  /** Features as the head reads them, in a row for each image [batch, …]. */
  features: tf.Tensor2D;
  /** The same, as means over places where they are an image [batch, features]. */
  pooled: tf.Tensor2D;
  /** What each row counts in a mean over rows [batch, 1]; null where all count alike. */
  counts: tf.Tensor2D | null;
  /** [rows, sources]; there where a term needs the source head. */
  sourceLogits: tf.Tensor2D | null;
  /**
   * The rows that the source head sees, with the distribution of each over what source classes are related to [rows, categories] and
   * what it counts. They are the others, but for tagged texts: of these they are the first pieces of entities' words.
   */
  source: { labels: tf.Tensor2D; counts: tf.Tensor2D | null };
  /** The tensors of the network, its heads and terms in this step, by name. */
  weights: Tensors;
  /** What comes out at the taps that terms watch, by name. */
  taps: Tensors;
  /** What others make of the very same images. No gradient flows into it. */
  beside: Beside;
}

/** What networks that stay as they are make of a batch, in evaluation mode. */
export interface Beside {
  /** The pre-trained network's values at the taps that terms watch, by name. */
  taps: Tensors;
  /** Its source logits [batch, sources]; there where a term recalls them. */
  sourceLogits: tf.Tensor2D | null;
  /** Target logits [batch, targets] of the run that a term learns from. */
  teacherLogits: tf.Tensor2D | null;
}

/** What a term holds besides, under its own names. */
export interface Held {
  /** What `state` declares. */
  state: Tensors;
  /** What `feeds` declares. */
  fed: Tensors;
  /** What `observe` made of the batch. */
  observed: Tensors;
}

/** A batch before its forward pass. */
export interface Observation {
  /** [batch, targets] */
  labels: tf.Tensor2D;
  /** Other random crops of the same images [batch, size, size, 3]; there where a term asks for a second view. */
  secondView: tf.Tensor4D | null;
  /**
   * Features [batch, features] of images by the backbone in training mode with tensors of its own in place of the state's.
   * Running statistics stay as they are.
   */
  encode(images: tf.Tensor4D, tensors: Tensors): tf.Tensor2D;
}

/** A trained parameter on its way to the optimizer. */
export interface Parameter {
  name: string;
  /** Whether it belongs to the new head. */
  isHead: boolean;
  value: tf.Tensor;
  /** The value that training began with; there where the term asks for anchors, and the parameter is no new one. */
  anchor: tf.Tensor | null;
}

/** Features [images, columns] with target labels. */
export interface LabeledFeatures {
  features: Matrix;
  labels: Int32Array;
}

/** Images as evaluation sees them, at the run's size. */
export interface PreparationBatch {
  /** [batch, size, size, 3]; places beyond `count` are zero. */
  images: Float32Array;
  labels: Int32Array;
  count: number;
  /** Places of images that cannot be used: they are zero. */
  unusable: number[];
}

/** Rows of training samples one by one, each as a step of one sample is fed it in evaluation. */
export interface SingleRows {
  /** How a step is fed such samples. */
  input: StepInput;
  /** Side of pictures in pixels, or pieces of the texts, padding included. */
  size: number;
  /** In the order of the places; null for one that cannot be used. */
  rows: AsyncIterable<Arrays | null>;
}

/** What can be made before training; each asks the trainer only for what it uses. */
export interface Preparation extends BatchShape {
  network: Network;
  /** The network as it was pre-trained, whatever terms add. */
  pretrained: Network;
  seed: number;
  /** Steps of the training. */
  steps: number;
  /** Side of the pictures that the network was pre-trained with, in pixels. */
  ownSize: number;
  /** Number of training images of each target class. */
  trainingImages: readonly number[];
  /** Label of each row of the training samples, in the run's order: of images and texts, or of the words of tagged texts. */
  labels: readonly number[];
  /** The weights that training begins with, in tf.js layouts. */
  weights(): Arrays;
  /** Training images by their places in the run's order, `batch` at a time. */
  images(places: readonly number[], batch: number): AsyncIterable<PreparationBatch>;
  /** Single rows of the training samples by their places among `labels`. */
  rows(places: readonly number[]): Promise<SingleRows>;
  /** Compiles a program beside the training step; `constants` are state that never changes. The caller's to dispose of. */
  compile(program: Program, constants?: Arrays): Promise<Executable>;
  /**
   * What `make` makes (float32), kept from run to run under everything that it can follow from here (network, training images and
   * their preprocessing, size, seed, engine, precision) and `origin`: the maker's version and the options that it reads.
   */
  kept(origin: Readonly<Record<string, unknown>>, make: () => Promise<Arrays>): Promise<Arrays>;
  /** Tells how far it is; throws to end it where the run is stopped. */
  progress(done: number, total: number): void;
  /** p(source | target), row-major [targets, sources]: known already, or learned now. */
  relationship(approach: Approach): Promise<Float32Array>;
  /** The pre-trained network's pooled features of the training and the validation images: center views of the run's size. */
  features(): Promise<Record<'train' | 'val', LabeledFeatures>>;
  /** Tells a person something about the run. */
  note(text: string): void;
}

/** What a preparation leaves. */
export interface Prepared {
  /** Values for what `state` declares. */
  state?: Arrays;
  /** Tensors of the network to begin with, in tf.js layouts, in place of the pre-trained or new ones. */
  network?: Arrays;
}

/** What a validation pass found. */
export interface Validation {
  /** Steps done. */
  step: number;
  accuracy: number;
}

/** What a step leaves. */
export interface After {
  /** [batch, targets] */
  labels: tf.Tensor2D;
  /** The trained tensors, by name, as the optimizer left them. */
  weights: Tensors;
}

/**
 * One term of a method, or an extra that any method can have: cross-entropy on the target labels, and what the term adds or
 * changes. Every hook is optional; a term without any is plain fine-tuning.
 */
export interface TermOf<Schema extends z.ZodObject> extends Described<Schema> {
  /** By which approach it has the relationship learned. */
  relationship?(options: z.output<Schema>): Approach;
  /** What the tensors of the network that it prepares follow from, where it prepares some: the run's seed or its images. */
  begins?: 'seed' | 'images';
  /** The finished run on the same target classes whose network it learns from. */
  teacher?(options: z.output<Schema>): number;
  /** Runs once before training. What it leaves is kept in checkpoints as part of the state. */
  prepare?(preparation: Preparation, options: z.output<Schema>): Promise<Prepared>;
  /** Tensors of its own that are carried from step to step, zero at the start unless prepared. */
  state?(network: Network, options: z.output<Schema>): Specs;
  /** Taps of the backbone at which it is shown what the network and what the pre-trained one make of the images. */
  watches?(network: Network, options: z.output<Schema>): readonly string[];
  /** Whether it is shown the pre-trained network's source logits of what is trained on; it needs `source-head`, too. */
  recallsLogits?: boolean;
  /** Whether a second view of each image is made. */
  secondView?: boolean;
  /** Whether `penalty` is given the values that training began with. */
  anchored?: boolean;
  /** Inputs of its own, random ones above all, and their values at a step (from 0). */
  feeds?: {
    specs(shape: BatchShape, network: Network, options: z.output<Schema>): Specs;
    values(
      shape: BatchShape,
      network: Network,
      options: z.output<Schema>,
      /** The term's own stream of random numbers at this step. */
      random: Random,
      /** Steps done before this one. */
      step: number,
    ): Arrays;
    /**
     * Values with which it changes nothing. Terms that have them take turns: of several, one is drawn at each step, evenly, and
     * the others are fed these.
     */
    idle?(shape: BatchShape, options: z.output<Schema>): Arrays;
  };
  /** The network with layers of the term's own, whose names no other layer has: from then on they are a part of it. */
  describe?(description: Description, options: z.output<Schema>): Description;
  /**
   * Trained tensors of its own; the names of those for a tensor of the network begin with its name. Zero at the start unless
   * prepared. The network that training leaves is without them.
   */
  tensors?(network: Network, options: z.output<Schema>): TensorDescription[];
  /**
   * What stands in for such a tensor of the network in every pass, made of it and of the term's own; null for the tensor as it
   * is. The network that training leaves has the result as its tensor.
   */
  replace?(
    name: string,
    tensor: (name: string) => tf.Tensor,
    network: Network,
    options: z.output<Schema>,
  ): tf.Tensor | null;
  /**
   * Whether a layer stays wholly as it is, given its name or that of a tensor or mask of it: nothing of it is trained, batch
   * norm keeps and uses the running statistics, nothing is dropped.
   */
  freezes?(name: string, network: Network, options: z.output<Schema>): boolean;
  /** Whether a tensor is trained; where several terms say so, all must. */
  trains?(tensor: TensorDescription, network: Network, options: z.output<Schema>): boolean;
  /** Whether batch norm keeps and uses the running statistics while training. */
  frozenStatistics?(options: z.output<Schema>): boolean;
  /**
   * By which statistics a batch norm normalizes every channel while training, [channels]: 1 for the batch's, 0 for the running
   * ones, which learn from the batch all the same. Absent: all by the batch's.
   */
  batchStatistics?(batchNorm: string, held: Held, network: Network, options: z.output<Schema>): tf.Tensor1D;
  /** The mask of a site while training ([batch, features] or [batch]); null where nothing is dropped. */
  mask?(site: MaskSite, held: Held, options: z.output<Schema>): tf.Tensor | null;
  /** The batch to train on, in place of that which was fed. */
  mix?(
    batch: { images: tf.Tensor4D; labels: tf.Tensor2D },
    held: Held,
    options: z.output<Schema>,
  ): { images: tf.Tensor4D; labels: tf.Tensor2D };
  /** Distributions [batch, targets] that the target head is to learn, in place of the labels; rows sum to one. */
  soften?(labels: tf.Tensor2D, options: z.output<Schema>): tf.Tensor2D;
  /** What each image counts in the target's cross-entropy [batch, 1], about 1; where several terms say so, their product. */
  weigh?(labels: tf.Tensor2D, held: Held, options: z.output<Schema>): tf.Tensor2D;
  /** Values made of a batch and its second view before the forward pass; no gradient flows into them. */
  observe?(observation: Observation, held: Omit<Held, 'observed'>, options: z.output<Schema>): Tensors;
  /** A term of the loss: its value under the name of its curve, and its weight. */
  loss?(
    view: StepView,
    held: Held,
    options: z.output<Schema>,
  ): { curve: string; value: tf.Scalar; weight: number | tf.Scalar };
  /**
   * The gradient of a term that is a function of one parameter alone, to be added to the loss's; null for none. It stands in
   * for the optimizer's weight decay.
   */
  penalty?(parameter: Parameter, held: Pick<Held, 'state'>, options: z.output<Schema>): tf.Tensor | null;
  /** Gradients of all trained parameters by name, in place of those that were found. */
  limit?(gradients: Tensors, options: z.output<Schema>): Tensors;
  /** Factor on the learning rate of a tensor. */
  rate?(tensor: string, network: Network, options: z.output<Schema>): number;
  /**
   * The share d, a scalar, that the average of every tensor so far has in the next: θ̄ ← d θ̄ + (1 − d) θ, running statistics
   * included. Averages are evaluated and kept in place of the tensors, and begin as these do.
   */
  average?(held: Held, options: z.output<Schema>): tf.Scalar;
  /** Why training ends now, a sentence; null where it goes on. `validations` are those so far, the newest last. */
  stops?(validations: readonly Validation[], options: z.output<Schema>): string | null;
  /** Its own state after the step, by name; what it leaves out stays as it was. */
  advance?(after: After, held: Held, options: z.output<Schema>): Tensors;
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds terms of all kinds of options.
export type Term = TermOf<any>;

/** A term as a registry holds it; its hooks are checked against its own options. */
export const term = <Schema extends z.ZodObject>(definition: TermOf<Schema>): Term => definition;

/** A term with the options that a run chose for it. */
export interface ChosenTerm {
  term: Term;
  // biome-ignore lint/suspicious/noExplicitAny: checked against the term's own schema.
  options: any;
}

/** Name in a program's state or batch of a tensor that belongs to a term. */
export const ownName = ({ term: { name } }: ChosenTerm, tensor: string): string => `${name}/${tensor}`;
