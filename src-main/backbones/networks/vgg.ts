import type { Architecture } from '../architecture.ts';
import {
  activation,
  adaptivePool,
  batchNorm,
  convolution,
  dropout,
  flatten,
  type Layer,
  linear,
  maxPool,
} from '../description.ts';

/** Convolutions of each group. Simonyan and Zisserman, table 1, columns A, B, D and E. */
const variants: Record<number, readonly number[]> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
};

const channels = [64, 128, 256, 512, 512];

/** Groups of convolutions, each with a pooling behind it; torchvision counts every layer in names. */
function groups(counts: readonly number[], isNormalized: boolean, width: number): Layer[][] {
  let index = 0;
  return counts.map((count, group) => {
    const layers: Layer[] = [];
    for (let i = 0; i < count; i++) {
      layers.push(
        convolution(`features.${index++}`, Math.round(channels[group] * width), { kernel: 3, bias: true }),
      );
      if (isNormalized) layers.push(batchNorm(`features.${index++}`));
      layers.push(activation('relu'));
      index++;
    }
    index++;
    return [...layers, maxPool(2, 2)];
  });
}

/** timm's names of the hidden layers, which it keeps as convolutions. */
const timmNames = new Map([
  ['pre_logits.fc1', 'classifier.0'],
  ['pre_logits.fc2', 'classifier.3'],
  ['head.fc', 'classifier.6'],
]);

const vgg = (depth: number, isNormalized: boolean): Architecture => ({
  name: `vgg${depth}${isNormalized ? '_bn' : ''}`,
  title: `VGG-${depth}${isNormalized ? ' with batch norm' : ''}`,
  source:
    'Simonyan and Zisserman, «Very Deep Convolutional Networks for Large-Scale Image Recognition», ICLR 2015',
  describe({ width }) {
    const hidden = Math.round(4096 * width);
    return {
      batchNorm: { epsilon: 1e-5, momentum: 0.1 },
      stages: groups(variants[depth], isNormalized, width),
      neck: [
        adaptivePool(7),
        flatten(7),
        linear('classifier.0', hidden, 7),
        activation('relu'),
        dropout('classifier.2', 0.5),
        linear('classifier.3', hidden),
        activation('relu'),
        dropout('classifier.5', 0.5),
      ],
      head: [linear('classifier.6', 'classes')],
    };
  },
  dialects: () => [{ library: 'timm', names: timmNames }],
});

export default [11, 13, 16, 19].flatMap((depth) => [vgg(depth, false), vgg(depth, true)]);
