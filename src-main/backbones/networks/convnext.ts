import type { Architecture } from '../architecture.ts';
import {
  activation,
  block,
  convolution,
  globalPool,
  type Layer,
  layerNorm,
  linear,
  scale,
  stochasticDepth,
  sum,
} from '../description.ts';

/** Blocks of each stage and the last one's share of stochastic depth. Liu et al., appendix A. */
const variants: Record<string, { title: string; blocks: readonly number[]; rate: number }> = {
  convnext_tiny: { title: 'ConvNeXt-Tiny', blocks: [3, 3, 9, 3], rate: 0.1 },
  convnext_small: { title: 'ConvNeXt-Small', blocks: [3, 3, 27, 3], rate: 0.4 },
};

const epsilon = 1e-6;

/** The layers of one block, its figure 4. */
const residual = (channels: number, rate: number): Layer[] => [
  sum(
    [
      convolution('block.0', channels, { kernel: 7, groups: 'each', bias: true }),
      layerNorm('block.2', epsilon),
      linear('block.3', 4 * channels),
      activation('gelu'),
      linear('block.5', channels),
      scale('layer_scale', 'image'),
      stochasticDepth('stochastic_depth', rate),
    ],
    [],
  ),
];

function stages(blocks: readonly number[], rate: number, width: number): Layer[][] {
  const total = blocks.reduce((a, b) => a + b);
  let index = 0;
  return blocks.map((count, stage) => {
    const channels = Math.round(96 * width) * 2 ** stage;
    const name = 2 * stage;
    const smaller =
      stage === 0
        ? []
        : [
            layerNorm(`features.${name}.0`, epsilon),
            convolution(`features.${name}.1`, channels, { kernel: 2, stride: 2, pad: 0, bias: true }),
          ];
    const all = Array.from({ length: count }, (_, at) =>
      block(`features.${name + 1}.${at}`, ...residual(channels, (rate * index++) / (total - 1))),
    );
    return [...smaller, ...all];
  });
}

const timmNames = (blocks: readonly number[]): Map<string, string> =>
  tableOf(blocks, {
    stem: ['stem.0', 'stem.1'],
    smaller: (stage) => `stages.${stage}.downsample`,
    block: (stage, index) => `stages.${stage}.blocks.${index}`,
    parts: {
      gamma: 'layer_scale',
      conv_dw: 'block.0',
      norm: 'block.2',
      'mlp.fc1': 'block.3',
      'mlp.fc2': 'block.5',
    },
    head: ['head.norm', 'head.fc'],
  });

/** `prefix`: what a network with a head has before its backbone's names. */
const transformersNames = (blocks: readonly number[], prefix: string): Map<string, string> =>
  tableOf(blocks, {
    stem: [`${prefix}embeddings.patch_embeddings`, `${prefix}embeddings.layernorm`],
    smaller: (stage) => `${prefix}encoder.stages.${stage}.downsampling_layer`,
    block: (stage, index) => `${prefix}encoder.stages.${stage}.layers.${index}`,
    parts: {
      layer_scale_parameter: 'layer_scale',
      dwconv: 'block.0',
      layernorm: 'block.2',
      pwconv1: 'block.3',
      pwconv2: 'block.5',
    },
    head: [`${prefix}layernorm`, 'classifier'],
  });

/** Names in the authors' repository, facebookresearch/ConvNeXt. */
const authorsNames = (blocks: readonly number[]): Map<string, string> =>
  tableOf(blocks, {
    stem: ['downsample_layers.0.0', 'downsample_layers.0.1'],
    smaller: (stage) => `downsample_layers.${stage}`,
    block: (stage, index) => `stages.${stage}.${index}`,
    parts: {
      gamma: 'layer_scale',
      dwconv: 'block.0',
      norm: 'block.2',
      pwconv1: 'block.3',
      pwconv2: 'block.5',
    },
    head: ['norm', 'head'],
  });

interface Scheme {
  stem: readonly string[];
  smaller(stage: number): string;
  block(stage: number, index: number): string;
  parts: Record<string, string>;
  head: readonly string[];
}

function tableOf(blocks: readonly number[], scheme: Scheme): Map<string, string> {
  const table = new Map([
    [scheme.stem[0], 'features.0.0'],
    [scheme.stem[1], 'features.0.1'],
    [scheme.head[0], 'classifier.0'],
    [scheme.head[1], 'classifier.2'],
  ]);
  for (const [stage, count] of blocks.entries()) {
    for (const part of [0, 1])
      if (stage > 0) table.set(`${scheme.smaller(stage)}.${part}`, `features.${2 * stage}.${part}`);
    for (let index = 0; index < count; index++)
      for (const [theirs, ours] of Object.entries(scheme.parts))
        table.set(`${scheme.block(stage, index)}.${theirs}`, `features.${2 * stage + 1}.${index}.${ours}`);
  }
  return table;
}

export default Object.entries(variants).map(
  ([name, { title, blocks, rate }]): Architecture => ({
    name,
    title,
    source: 'Liu et al., «A ConvNet for the 2020s», CVPR 2022',
    describe: ({ width }) => ({
      batchNorm: { epsilon: 1e-5, momentum: 0.1 },
      stages: [
        [
          convolution('features.0.0', Math.round(96 * width), { kernel: 4, stride: 4, pad: 0, bias: true }),
          layerNorm('features.0.1', epsilon),
        ],
        ...stages(blocks, rate, width),
      ],
      neck: [globalPool(), layerNorm('classifier.0', epsilon)],
      head: [linear('classifier.2', 'classes')],
    }),
    dialects: () => [
      { library: 'timm', names: timmNames(blocks) },
      { library: 'transformers', names: transformersNames(blocks, 'convnext.') },
      { library: 'transformers', names: transformersNames(blocks, '') },
      { library: 'ConvNeXt', names: authorsNames(blocks) },
    ],
  }),
);
