import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';

/** What a tensor is: running statistics are not trained, a vector is no product's matrix, rows of an embedding are looked up. */
export type TensorKind = 'conv' | 'depthwise' | 'linear' | 'embedding' | 'vector' | 'running';

/** One tensor of a network under its torchvision name, with PyTorch's shape. */
export interface TensorDescription {
  name: string;
  kind: TensorKind;
  /** As PyTorch keeps it: conv [out, in per group, kh, kw]; linear [out, in]; vector and running [channels]. */
  shape: number[];
  /** The axes of PyTorch's tensor in the order that tf.js wants, e.g. [1, 0]; of `view` where that is given. */
  order: number[];
  /** PyTorch's shape with axes split that the order takes apart. */
  view?: number[];
}

export type Padding = 'symmetric' | 'same';

/** Where random numbers come in: values 0 or 1/(1 − rate), made outside of the program for every step. */
export interface MaskSite {
  name: string;
  /** Share that is dropped. */
  rate: number;
  /**
   * `element`: a number for each of an image's features; `image`: one for each image; of a text `value`: one for each feature of
   * each piece, `weight`: one for each head, query and key of attention.
   */
  of: 'element' | 'image' | 'value' | 'weight';
  /** Features of an image or a piece; attention's heads. */
  features: number;
}

/** Where a backbone's forward pass finds its tensors (tf.js layouts, torchvision names) and what training asks of it. */
export interface Scope {
  tensor(name: string): Tensor;
  /**
   * Batch norm named `prefix`, in training or evaluation mode as the program decides. `near` makes a value near the batch's
   * mean, [channels].
   */
  batchNorm(x: Tensor4D, prefix: string, near: () => Tensor1D): Tensor4D;
  /**
   * The mask of a site: [batch, features] or [batch], of a text [batch, length, features] or [batch, heads, length, length];
   * undefined where nothing is dropped.
   */
  mask?(site: MaskSite): Tensor | undefined;
  /** Of a text: 1 where there is a piece and 0 where there is padding [batch, length]; absent where nothing is padding. */
  present?: Tensor;
  /** Of a text: the segment of every piece, int32 [batch, length]; absent where all are of the first. */
  segments?: Tensor;
  /** Is told what comes out at every tap. */
  tap?(name: string, value: Tensor): void;
}

/** Layers that belong together. */
export interface Block {
  name: string;
  /** Stage it is part of; 0 is the stem. */
  stage: number;
}

/** A network up to its features, and the form of the heads behind it. */
export interface Backbone {
  tensors: TensorDescription[];
  /** Width of the features. */
  features: number;
  batchNorm: { epsilon: number; momentum: number };
  /** Layers by stage: for the stem, then for each of the four stages, the names of the layers that own tensors. */
  stages: readonly (readonly string[])[];
  /** Channels of what comes out of each of them. */
  stageChannels: readonly number[];
  /** In the order of the forward pass. */
  blocks: readonly Block[];
  /** Names at which `Scope.tap` is told a value: `stem`, `stage1` … `stage4`, every block, `features`. */
  taps: readonly string[];
  masks: readonly MaskSite[];
  /** Of each attention layer the weights of query, key and value: one that has them packed in this order, or one each. */
  attentions: readonly (readonly string[])[];
  /** Name of the pre-trained head's last layer: `fc`, `classifier.1`. */
  head: string;
  /** Whether scores go through a ReLU behind that layer. */
  rectifiesScores: boolean;
  /** Tensors of a head of that name: its weight and its bias. */
  headTensors(name: string, classes: number): TensorDescription[];
  /**
   * images [batch, side, side, 3] → features [batch, features], or an image of them where the head takes one; a text's pieces, int32
   * [batch, length] → features [batch, length, features].
   */
  forward(input: Tensor, scope: Scope): Tensor;
  /** The rest of a forward pass, from what stage `stage` has made to the features. */
  resume(stage: number, value: Tensor, scope: Scope): Tensor;
  /** Features → logits [batch, classes] of the head of that name. */
  classify(features: Tensor, scope: Pick<Scope, 'tensor'>, name: string): Tensor;
}

const identity = [0];

export const vector = (name: string, channels: number, kind: TensorKind = 'vector'): TensorDescription => ({
  name,
  kind,
  shape: [channels],
  order: identity,
});

/** The stage that a layer or tensor belongs to, 0 the stem; null for a head's. */
export function stageOf({ stages }: Pick<Backbone, 'stages'>, name: string): number | null {
  const stage = stages.findIndex((owners) =>
    owners.some((owner) => name === owner || name.startsWith(`${owner}.`)),
  );
  return stage < 0 ? null : stage;
}

/** The pre-trained head's tensors. */
export const sourceHead = (backbone: Backbone, classes: number): TensorDescription[] =>
  backbone.headTensors(backbone.head, classes);
