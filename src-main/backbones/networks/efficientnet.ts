import type { Architecture, Dialect } from '../architecture.ts';
import {
  activation,
  batchNorm,
  block,
  convolution,
  dropout,
  gate,
  globalPool,
  type Layer,
  linear,
  pointwise,
  stochasticDepth,
  sum,
} from '../description.ts';
import { divisible } from '../divisible.ts';
import { type InvertedScheme, invertedNames, stagesByHalving, timmInverted } from '../inverted-residual.ts';

/** Expansion, kernel, stride, channels, layers of B0. Tan and Le, table 1. */
const rows = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;

/** How much wider and deeper than B0, and the dropout before the classifier. */
const variants = [
  { wider: 1, deeper: 1, rate: 0.2 },
  { wider: 1, deeper: 1.1, rate: 0.2 },
  { wider: 1.1, deeper: 1.2, rate: 0.3 },
  { wider: 1.2, deeper: 1.4, rate: 0.3 },
];
type Variant = (typeof variants)[number];

/** Of the last block; the share of those before it grows evenly. */
const depthRate = 0.2;

interface Block {
  name: string;
  timm: readonly number[];
  stride: number;
  expands: boolean;
  isExcited: true;
  out: number;
  layers: Layer[];
}

const unit = (name: string, out: number, options: object = {}): Layer[] => [
  convolution(`${name}.0`, out, options),
  batchNorm(`${name}.1`),
];

function blocksOf({ wider, deeper }: Variant, width: number): Block[] {
  const wide = (channels: number) => divisible(channels * wider * width);
  const total = rows.reduce((count, row) => count + Math.ceil(row[4] * deeper), 0);
  const blocks: Block[] = [];
  let channels = wide(32);
  for (const [stage, [expansion, kernel, stride, base, layers]] of rows.entries())
    for (let index = 0; index < Math.ceil(layers * deeper); index++) {
      const out = wide(base);
      const sizes = { channels, hidden: divisible(channels * expansion), out, kernel };
      const by = index === 0 ? stride : 1;
      blocks.push({
        name: `features.${stage + 1}.${index}`,
        timm: [stage, index],
        stride: by,
        expands: expansion > 1,
        isExcited: true,
        out,
        layers: layersOf({ ...sizes, stride: by, rate: (depthRate * blocks.length) / total }),
      });
      channels = out;
    }
  return blocks;
}

interface BlockSizes {
  channels: number;
  hidden: number;
  out: number;
  kernel: number;
  stride: number;
  rate: number;
}

function layersOf({ channels, hidden, out, kernel, stride, rate }: BlockSizes): Layer[] {
  const silu = activation('silu');
  let at = 0;
  const main = [
    ...(hidden === channels ? [] : [...unit(`block.${at++}`, hidden), silu]),
    ...unit(`block.${at++}`, hidden, { kernel, stride, groups: 'each' }),
    silu,
    gate(
      globalPool(),
      pointwise(`block.${at}.fc1`, Math.max(1, Math.floor(channels / 4))),
      silu,
      pointwise(`block.${at++}.fc2`, hidden),
      activation('sigmoid'),
    ),
    ...unit(`block.${at++}`, out),
  ];
  return stride === 1 && channels === out
    ? [sum([...main, stochasticDepth('stochastic_depth', rate)], [])]
    : main;
}

/** What a library calls the layers around the blocks: stem, end, each with its norm; classifier. */
type Around = readonly [string, string, string, string, string];

const namesOf = (variant: Variant, around: Around, scheme: InvertedScheme): Map<string, string> =>
  new Map([
    ...around.map((theirs, at): [string, string] => [
      theirs,
      ['features.0.0', 'features.0.1', 'features.8.0', 'features.8.1', 'classifier.1'][at],
    ]),
    ...invertedNames(blocksOf(variant, 1), scheme),
  ]);

/** TensorFlow's: where weights come from there, they were trained so. */
const tensorflow = { padding: 'same', batchNormEpsilon: 1e-3 } as const;

const dialects = (variant: Variant): Dialect[] => [
  {
    library: 'timm',
    names: namesOf(variant, ['conv_stem', 'bn1', 'conv_head', 'bn2', 'classifier'], timmInverted),
  },
  {
    library: 'transformers',
    ...tensorflow,
    names: namesOf(
      variant,
      [
        'efficientnet.embeddings.convolution',
        'efficientnet.embeddings.batchnorm',
        'efficientnet.encoder.top_conv',
        'efficientnet.encoder.top_bn',
        'classifier',
      ],
      {
        block: (_, index) => `efficientnet.encoder.blocks.${index}`,
        expand: ['expansion.expand_conv', 'expansion.expand_bn'],
        depthwise: () => ['depthwise_conv.depthwise_conv', 'depthwise_conv.depthwise_norm'],
        excitation: ['squeeze_excite.reduce', 'squeeze_excite.expand'],
        project: () => ['projection.project_conv', 'projection.project_bn'],
      },
    ),
  },
  {
    library: 'EfficientNet-PyTorch',
    ...tensorflow,
    names: namesOf(variant, ['_conv_stem', '_bn0', '_conv_head', '_bn1', '_fc'], {
      block: (_, index) => `_blocks.${index}`,
      expand: ['_expand_conv', '_bn0'],
      depthwise: () => ['_depthwise_conv', '_bn1'],
      excitation: ['_se_reduce', '_se_expand'],
      project: () => ['_project_conv', '_bn2'],
    }),
  },
];

export default variants.map(
  (variant, index): Architecture => ({
    name: `efficientnet_b${index}`,
    title: `EfficientNet-B${index}`,
    source:
      'Tan and Le, «EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks», ICML 2019',
    twins: [{ name: `tf_efficientnet_b${index}`, library: 'timm', ...tensorflow }],
    describe({ width }) {
      const blocks = blocksOf(variant, width);
      const silu = activation('silu');
      return {
        batchNorm: { epsilon: 1e-5, momentum: 0.1 },
        stages: stagesByHalving(
          [...unit('features.0', divisible(32 * variant.wider * width), { kernel: 3, stride: 2 }), silu],
          blocks.map(({ stride, ...one }) => ({ stride, layer: block(one.name, ...one.layers) })),
          [...unit('features.8', 4 * blocks.at(-1)!.out), silu],
        ),
        neck: [globalPool(), dropout('classifier.0', variant.rate)],
        head: [linear('classifier.1', 'classes')],
      };
    },
    dialects: () => dialects(variant),
  }),
);
