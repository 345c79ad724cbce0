import * as tf from '@tensorflow/tfjs-core';
import type { Build, Built } from './layer.ts';

const tensorsOf = (parts: readonly Built[]) => parts.flatMap(({ tensors }) => tensors);

export const sum: Build<'sum'> = ({ branches }, site) => {
  const parts = branches.map((layers) => site.build(layers, site));
  return {
    tensors: tensorsOf(parts),
    channels: parts[0].channels,
    forward: (x, scope) => parts.map((part) => part.forward(x, scope)).reduce((a, b) => tf.add(a, b)),
  };
};

export const concatenation: Build<'concatenation'> = ({ branches }, site) => {
  const parts = branches.map((layers) => site.build(layers, site));
  return {
    tensors: tensorsOf(parts),
    channels: parts.reduce((total, { channels }) => total + channels, 0),
    forward: (x, scope) =>
      tf.concat(
        parts.map((part) => part.forward(x, scope)),
        -1,
      ),
  };
};

/** x times a factor for every image and channel, made of x. */
export const gate: Build<'gate'> = ({ layers }, site) => {
  const part = site.build(layers, site);
  return {
    ...part,
    channels: site.channels,
    forward(x, scope) {
      const factor = part.forward(x, scope);
      const [batch, channels] = factor.shape;
      return tf.mul(x, tf.reshape(factor, [batch, 1, 1, channels]));
    },
    near: undefined,
  };
};

export const block: Build<'block'> = ({ name, layers }, site) => {
  const whole = site.prefix + name;
  site.onBlock(whole);
  const part = site.build(layers, { ...site, prefix: `${whole}.` });
  return {
    ...part,
    forward(x, scope) {
      const y = part.forward(x, scope);
      scope.tap?.(whole, y);
      return y;
    },
  };
};
