import * as tf from '@tensorflow/tfjs-core';
import type { Build } from './layer.ts';

/**
 * x with some of its features at zero, the others grown by as much. Srivastava et al., «Dropout», JMLR 2014. Of an image whole
 * channels: Tompson et al., «Efficient Object Localization Using Convolutional Networks», CVPR 2015.
 */
export const dropout: Build<'dropout'> = ({ name, rate, of }, { prefix, channels, onMask }) => {
  const site = { name: prefix + name, rate, of, features: channels };
  onMask(site);
  return {
    tensors: [],
    channels,
    forward(x, scope) {
      const mask = scope.mask?.(site);
      if (!mask) return x;
      if (of === 'value') return tf.mul(x, mask);
      const places = x.shape.slice(1, -1).map(() => 1);
      return tf.mul(x, tf.reshape(mask, [x.shape[0], ...places, channels]));
    },
  };
};

export const stochasticDepth: Build<'stochasticDepth'> = ({ name, rate }, { prefix, channels, onMask }) => {
  const site = { name: prefix + name, rate, of: 'image' as const, features: channels };
  onMask(site);
  return {
    tensors: [],
    channels,
    forward(x, scope) {
      const mask = scope.mask?.(site);
      return mask ? tf.mul(x, tf.reshape(mask, [-1, ...x.shape.slice(1).map(() => 1)])) : x;
    },
  };
};
