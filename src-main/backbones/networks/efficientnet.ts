import type { Architecture } from '../architecture.ts';
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
import { invertedNames, stagesByHalving } from '../inverted-residual.ts';

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

const timmNames = (variant: Variant): Map<string, string> =>
  new Map([
    ['conv_stem', 'features.0.0'],
    ['bn1', 'features.0.1'],
    ['conv_head', 'features.8.0'],
    ['bn2', 'features.8.1'],
    ['classifier', 'classifier.1'],
    ...invertedNames(blocksOf(variant, 1)),
  ]);

export default variants.map(
  (variant, index): Architecture => ({
    name: `efficientnet_b${index}`,
    title: `EfficientNet-B${index}`,
    source:
      'Tan and Le, «EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks», ICML 2019',
    aliases: [`tf_efficientnet_b${index}`],
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
    otherNames: () => [timmNames(variant)],
  }),
);
