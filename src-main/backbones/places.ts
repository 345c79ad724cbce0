import type { Tensor } from '@tensorflow/tfjs-core';
import type { Padding, Scope, TensorDescription } from './backbone.ts';
import { buildLayers } from './build.ts';
import type { Description, Layer } from './description.ts';

/** A network cut at the last features that still have places in the picture. */
export interface Places {
  /** Numbers at each place. */
  channels: number;
  /** Whether places are tokens [batch, 1 + places, channels] behind a class token, not an image [batch, rows, columns, channels]. */
  areTokens: boolean;
  /** Whether the mean over all places and one linear layer are all that follows: each place's part of a score is then known exactly. */
  arePooledLinearly: boolean;
  /** images [batch, side, side, 3] → what is at every place. */
  forward(images: Tensor, scope: Scope): Tensor;
  /** Tensors of the rest of the way. */
  tensorsBehind: TensorDescription[];
  /** The rest of the way, to the features. */
  resume(places: Tensor, scope: Scope): Tensor;
}

/** Layers that give places up. */
const endsOfPlaces: ReadonlySet<Layer['op']> = new Set([
  'globalPool',
  'adaptivePool',
  'flatten',
  'classToken',
]);
/** Layers that change nothing outside of training. */
const trainingOnly: ReadonlySet<Layer['op']> = new Set(['dropout', 'stochasticDepth']);

/** Where a described network has places last. */
export function placesOf({ stages, neck, head }: Description, padding: Padding): Places {
  const layers = [...stages.flat(), ...neck];
  const end = layers.findIndex(({ op }) => endsOfPlaces.has(op));
  const areTokens = layers[end]?.op === 'classToken';
  // Behind the last block nobody reads any token but the class token: the others are looked at where it still attends to them.
  const cut = end < 0 ? layers.length : areTokens ? end - 1 : end;
  const before = buildLayers(layers.slice(0, cut), 3, padding);
  const after = buildLayers(layers.slice(cut), before.channels, padding);
  const rest = [...layers.slice(cut), ...head].filter(({ op }) => !trainingOnly.has(op));
  return {
    channels: before.channels,
    areTokens,
    arePooledLinearly: rest.map(({ op }) => op).join() === 'globalPool,linear',
    forward: before.forward,
    tensorsBehind: after.tensors,
    resume: after.forward,
  };
}
