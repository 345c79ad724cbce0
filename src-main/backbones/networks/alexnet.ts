import type { Architecture } from '../architecture.ts';
import { activation, adaptivePool, convolution, dropout, flatten, linear, maxPool } from '../description.ts';

const relu = activation('relu');

const alexnet: Architecture = {
  name: 'alexnet',
  title: 'AlexNet',
  source: 'Krizhevsky, «One weird trick for parallelizing convolutional neural networks», 2014',
  describe({ width }) {
    const wide = (channels: number) => Math.round(channels * width);
    const third = { kernel: 3, bias: true };
    return {
      batchNorm: { epsilon: 1e-5, momentum: 0.1 },
      stages: [
        [
          convolution('features.0', wide(64), { kernel: 11, stride: 4, pad: 2, bias: true }),
          relu,
          maxPool(3, 2),
        ],
        [convolution('features.3', wide(192), { kernel: 5, bias: true }), relu, maxPool(3, 2)],
        [convolution('features.6', wide(384), third), relu],
        [convolution('features.8', wide(256), third), relu],
        [convolution('features.10', wide(256), third), relu, maxPool(3, 2)],
      ],
      neck: [
        adaptivePool(6),
        flatten(6),
        dropout('classifier.0', 0.5),
        linear('classifier.1', wide(4096), 6),
        relu,
        dropout('classifier.3', 0.5),
        linear('classifier.4', wide(4096)),
        relu,
      ],
      head: [linear('classifier.6', 'classes')],
    };
  },
};

export default [alexnet];
