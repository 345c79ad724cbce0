import type { Architecture } from '../architecture.ts';
import {
  activation,
  block,
  concatenation,
  convolution,
  dropout,
  globalPool,
  type Layer,
  maxPool,
} from '../description.ts';

const relu = activation('relu');

/** Iandola et al., figure 1: few channels, then two convolutions of them side by side. */
const fire = (index: number, squeeze: number, expand: number): Layer =>
  block(
    `features.${index}`,
    convolution('squeeze', squeeze, { bias: true }),
    relu,
    concatenation(
      [convolution('expand1x1', expand, { bias: true }), relu],
      [convolution('expand3x3', expand, { kernel: 3, bias: true }), relu],
    ),
  );

const pool = maxPool(3, 2, 0, true);

const squeezenet: Architecture = {
  name: 'squeezenet1_1',
  title: 'SqueezeNet 1.1',
  source:
    'Iandola et al., «SqueezeNet: AlexNet-level accuracy with 50x fewer parameters», 2016; version 1.1 of its repository',
  describe({ width }) {
    const wide = (channels: number) => Math.round(channels * width);
    const fires = (index: number, squeeze: number, expand: number) =>
      fire(index, wide(squeeze), wide(expand));
    return {
      batchNorm: { epsilon: 1e-5, momentum: 0.1 },
      stages: [
        [convolution('features.0', wide(64), { kernel: 3, stride: 2, pad: 0, bias: true }), relu, pool],
        [fires(3, 16, 64), fires(4, 16, 64), pool],
        [fires(6, 32, 128), fires(7, 32, 128), pool],
        [fires(9, 48, 192), fires(10, 48, 192)],
        [fires(11, 64, 256), fires(12, 64, 256)],
      ],
      neck: [dropout('classifier.0', 0.5)],
      head: [convolution('classifier.1', 'classes', { bias: true }), relu, globalPool()],
    };
  },
};

export default [squeezenet];
