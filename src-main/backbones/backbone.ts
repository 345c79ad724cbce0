import type { Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Architecture } from '../../src-shared/domain.ts';

/** What a tensor is, which decides its layout in tf.js and whether it is trained. */
export type TensorKind = 'conv' | 'depthwise' | 'linear' | 'vector' | 'running';

/** One tensor of a network under its torchvision name, with PyTorch's shape. */
export interface TensorDescription {
  name: string;
  kind: TensorKind;
  /** conv [out, in, kh, kw]; depthwise [channels, 1, kh, kw]; linear [out, in]; vector and running [channels]. */
  shape: number[];
}

export type Padding = 'symmetric' | 'same';

/** What decides a backbone's tensors and arithmetic. */
export interface BackboneOptions {
  architecture: Architecture;
  padding: Padding;
  /** Width multiplier; 1 for the published networks. */
  width: number;
}

/** Where a backbone's forward pass finds its tensors (tf.js layouts, torchvision names) and its batch norm. */
export interface Scope {
  tensor(name: string): import('@tensorflow/tfjs-core').Tensor;
  /**
   * Batch norm named `prefix`, in training or evaluation mode as the program decides. `near` makes a value near the batch's
   * mean, [channels].
   */
  batchNorm(x: Tensor4D, prefix: string, near: () => Tensor1D): Tensor4D;
}

/** A network up to its pooled features. */
export interface Backbone {
  tensors: TensorDescription[];
  /** Width of the pooled features. */
  features: number;
  /** Layers by stage: for the stem, then for each of the four stages, the prefixes of its tensors' names. */
  stages: readonly (readonly string[])[];
  /** Name of the linear layer behind the backbone: `fc` or `classifier.1`. */
  head: string;
  /** images [batch, side, side, 3] → pooled features [batch, features]. */
  forward(images: Tensor4D, scope: Scope): Tensor2D;
}

export const batchNormTensors = (prefix: string, channels: number): TensorDescription[] => [
  { name: `${prefix}.weight`, kind: 'vector', shape: [channels] },
  { name: `${prefix}.bias`, kind: 'vector', shape: [channels] },
  { name: `${prefix}.running_mean`, kind: 'running', shape: [channels] },
  { name: `${prefix}.running_var`, kind: 'running', shape: [channels] },
];

/** The weight [classes, features] and bias [classes] of a linear head. */
export const headTensors = (name: string, classes: number, features: number): TensorDescription[] => [
  { name: `${name}.weight`, kind: 'linear', shape: [classes, features] },
  { name: `${name}.bias`, kind: 'vector', shape: [classes] },
];
