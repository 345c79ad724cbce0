import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { MaskSite, Padding, Scope, TensorDescription } from '../backbone.ts';
import type { Layer, Width } from '../description.ts';

/** What a layer of a description comes to at its place in a network. */
export interface Built {
  tensors: TensorDescription[];
  /** Channels of what it makes. */
  channels: number;
  /** `near` makes a value near the mean of x, [channels]; absent where nothing cheap is known. */
  forward(x: Tensor, scope: Scope, near?: () => Tensor1D): Tensor;
  /** A value near the mean of what it makes of x, [channels]. */
  near?(x: Tensor, scope: Scope): Tensor1D;
}

/** A layer's place. */
export interface Site {
  /** What stands before its name. */
  prefix: string;
  /** Channels coming in. */
  channels: number;
  padding: Padding;
  width(out: Width): number;
  build(layers: readonly Layer[], site: Site): Built;
  onBlock(name: string): void;
  onMask(mask: MaskSite): void;
  /** Is told the weights of query, key and value. */
  onAttention(projections: readonly string[]): void;
}

/** Builds layers of one kind. */
export type Build<Op extends Layer['op']> = (layer: Extract<Layer, { op: Op }>, site: Site) => Built;

/** A layer without tensors that keeps its channels. */
export const plain = (channels: number, forward: Built['forward']): Built => ({
  tensors: [],
  channels,
  forward,
});
