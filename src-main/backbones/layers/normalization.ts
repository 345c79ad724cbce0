import * as tf from '@tensorflow/tfjs-core';
import { layerNorm as normalizeRows } from '../../engine/ops/layer-norm.ts';
import { vector } from '../backbone.ts';
import type { Build } from './layer.ts';

export const batchNorm: Build<'batchNorm'> = ({ name }, { prefix, channels }) => {
  const at = prefix + name;
  return {
    tensors: [
      vector(`${at}.weight`, channels),
      vector(`${at}.bias`, channels),
      vector(`${at}.running_mean`, channels, 'running'),
      vector(`${at}.running_var`, channels, 'running'),
    ],
    channels,
    forward: (x, scope, near) =>
      scope.batchNorm(x as tf.Tensor4D, at, near ?? (() => meanOfFirst(x as tf.Tensor4D))),
  };
};

/** The mean over the first image: within √batch standard deviations of the batch's. */
const meanOfFirst = (x: tf.Tensor4D): tf.Tensor1D => tf.mean(tf.slice(x, 0, 1), [0, 1, 2]);

export const layerNorm: Build<'layerNorm'> = ({ name, epsilon }, { prefix, channels }) => {
  const [gamma, beta] = ['weight', 'bias'].map((leaf) => `${prefix}${name}.${leaf}`);
  return {
    tensors: [vector(gamma, channels), vector(beta, channels)],
    channels,
    forward: (x, { tensor }) => normalizeRows(x, tensor(gamma), tensor(beta), epsilon),
  };
};

/** Touvron et al., «Going deeper with Image Transformers», ICCV 2021, equation 5. */
export const scale: Build<'scale'> = ({ name, shape }, { prefix, channels }) => {
  const at = prefix + name;
  const tensor =
    shape === 'image'
      ? { name: at, kind: 'vector' as const, shape: [channels, 1, 1], order: [1, 2, 0] }
      : vector(at, channels);
  return {
    tensors: [tensor],
    channels,
    forward: (x, scope) => tf.mul(x, tf.reshape(scope.tensor(at), [channels])),
  };
};
