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

/**
 * Attention of every head between projections. Query, key and value are one packed projection, in this order.
 */
export const attention: Build<'attention'> = ({ name, heads }, { prefix, channels, onAttention }) => {
  const at = prefix + name;
  onAttention(at);
  const matrix = (tensor: string, rows: number) => ({
    name: `${at}.${tensor}`,
    kind: 'linear' as const,
    shape: [rows, channels],
    order: [1, 0],
  });
  return {
    tensors: [
      matrix('in_proj_weight', 3 * channels),
      vector(`${at}.in_proj_bias`, 3 * channels),
      matrix('out_proj.weight', channels),
      vector(`${at}.out_proj.bias`, channels),
    ],
    channels,
    forward(x, { tensor }) {
      const packed = product(x, tensor(`${at}.in_proj_weight`), tensor(`${at}.in_proj_bias`));
      const mixed = attend(packed as tf.Tensor3D, heads);
      return product(mixed, tensor(`${at}.out_proj.weight`), tensor(`${at}.out_proj.bias`));
    },
  };
};
