import type { Architecture } from '../architecture.ts';
import {
  activation,
  averagePool,
  batchNorm,
  block,
  concatenation,
  convolution,
  globalPool,
  type Layer,
  linear,
  maxPool,
} from '../description.ts';

/** Layers of each dense block. Huang et al., table 1. */
const variants: Record<string, { title: string; layers: readonly number[] }> = {
  densenet121: { title: 'DenseNet-121', layers: [6, 12, 24, 16] },
  densenet169: { title: 'DenseNet-169', layers: [6, 12, 32, 32] },
  densenet201: { title: 'DenseNet-201', layers: [6, 12, 48, 32] },
};

/** Channels that a layer adds, at full width. */
const growth = 32;

const denseLayer = (name: string, grow: number): Layer =>
  block(
    name,
    concatenation(
      [],
      [
        batchNorm('norm1'),
        activation('relu'),
        convolution('conv1', 4 * grow),
        batchNorm('norm2'),
        activation('relu'),
        convolution('conv2', grow, { kernel: 3 }),
      ],
    ),
  );

/** Between dense blocks: half the channels, half the side. */
const transition = (name: string, out: number): Layer =>
  block(name, batchNorm('norm'), activation('relu'), convolution('conv', out), averagePool(2));

function stages(layers: readonly number[], grow: number): Layer[][] {
  let channels = 2 * grow;
  return layers.map((count, stage) => {
    const dense = Array.from({ length: count }, (_, index) =>
      denseLayer(`features.denseblock${stage + 1}.denselayer${index + 1}`, grow),
    );
    channels += count * grow;
    if (stage === layers.length - 1) return [...dense, batchNorm('features.norm5'), activation('relu')];
    channels /= 2;
    return [...dense, transition(`features.transition${stage + 1}`, channels)];
  });
}

/** Names in torchvision's published files, which its program renames: `norm.1` for `norm1`. */
function publishedNames(layers: readonly number[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const [stage, count] of layers.entries())
    for (let index = 1; index <= count; index++)
      for (const part of ['norm', 'conv'])
        for (const which of [1, 2]) {
          const prefix = `features.denseblock${stage + 1}.denselayer${index}.${part}`;
          names.set(`${prefix}.${which}`, `${prefix}${which}`);
        }
  return names;
}

export default Object.entries(variants).map(
  ([name, { title, layers }]): Architecture => ({
    name,
    title,
    source: 'Huang et al., «Densely Connected Convolutional Networks», CVPR 2017',
    describe: ({ width }) => ({
      batchNorm: { epsilon: 1e-5, momentum: 0.1 },
      stages: [
        [
          convolution('features.conv0', 2 * Math.round(growth * width), { kernel: 7, stride: 2 }),
          batchNorm('features.norm0'),
          activation('relu'),
          maxPool(3, 2, 1),
        ],
        ...stages(layers, Math.round(growth * width)),
      ],
      neck: [globalPool()],
      head: [linear('classifier', 'classes')],
    }),
    dialects: () => [{ library: 'torchvision', names: publishedNames(layers) }],
  }),
);
