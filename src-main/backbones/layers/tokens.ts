import * as tf from '@tensorflow/tfjs-core';
import { attention as attend } from '../../engine/ops/attention.ts';
import { vector } from '../backbone.ts';
import { resizedPositions } from '../positions.ts';
import type { Build } from './layer.ts';
import { product } from './linear.ts';

/** Dosovitskiy et al., «An Image is Worth 16x16 Words», ICLR 2021, equation 1. */
export const tokens: Build<'tokens'> = ({ classToken: first, positions, grid }, { prefix, channels }) => {
  const [front, places] = [prefix + first, prefix + positions];
  const whole = (name: string, rows: number) => ({
    name,
    kind: 'vector' as const,
    shape: [1, rows, channels],
    order: [0, 1, 2],
  });
  return {
    tensors: [whole(front, 1), whole(places, 1 + grid ** 2)],
    channels,
    forward(x, scope) {
      const [batch, rows, columns] = x.shape;
      const patches = tf.reshape(x, [batch, rows * columns, channels]);
      const front1 = tf.tile(scope.tensor(front), [batch, 1, 1]);
      return tf.add(
        tf.concat([front1, patches], 1),
        resizedPositions(scope.tensor(places) as tf.Tensor3D, grid, [rows, columns]),
      );
    },
  };
};

export const classToken: Build<'classToken'> = (_, { channels }) => ({
  tensors: [],
  channels,
  forward: (x) => tf.reshape(tf.slice(x, [0, 0, 0], [x.shape[0], 1, channels]), [x.shape[0], channels]),
});

/** What is added to the scores of a key that is padding: its weight is zero to the bit. */
const unseen = -1e9;

/**
 * Attention of every head between projections. Query, key and value are one packed projection, in this order, or three where weights
 * keep them apart.
 */
export const attention: Build<'attention'> = (
  { name, heads, apart, rate },
  { prefix, channels, onAttention, onMask },
) => {
  const at = prefix + name;
  const site = { name: `${at}.dropout`, rate: rate ?? 0, of: 'weight' as const, features: heads };
  if (rate) onMask(site);
  const matrix = (weight: string, rows: number) => ({
    name: weight,
    kind: 'linear' as const,
    shape: [rows, channels],
    order: [1, 0],
  });
  const projections = apart
    ? apart.projections.map((part) => [`${at}.${part}.weight`, `${at}.${part}.bias`])
    : [[`${at}.in_proj_weight`, `${at}.in_proj_bias`]];
  onAttention(projections.map(([weight]) => weight));
  const out = `${at}.${apart?.out ?? 'out_proj'}`;
  const rows = (3 * channels) / projections.length;
  return {
    tensors: [
      ...projections.flatMap(([weight, bias]) => [matrix(weight, rows), vector(bias, rows)]),
      matrix(`${out}.weight`, channels),
      vector(`${out}.bias`, channels),
    ],
    channels,
    forward(x, { tensor, present, mask }) {
      const [weights, biases] = [0, 1].map((leaf) => projections.map((names) => tensor(names[leaf])));
      const packed = product(x, joined(weights), joined(biases));
      const kept = rate ? mask?.(site) : undefined;
      const mixed = attend(packed as tf.Tensor3D, heads, {
        ...(present && { bias: tf.mul(tf.sub(1, present), unseen) }),
        ...(kept && { kept }),
      });
      return product(mixed, tensor(`${out}.weight`), tensor(`${out}.bias`));
    },
  };
};

/** Matrices or vectors beside each other. */
const joined = (parts: tf.Tensor[]): tf.Tensor => (parts.length === 1 ? parts[0] : tf.concat(parts, -1));
