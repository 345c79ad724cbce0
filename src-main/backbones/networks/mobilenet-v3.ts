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
  sum,
} from '../description.ts';
import { divisible } from '../divisible.ts';
import { invertedNames, stagesByHalving, timmInverted } from '../inverted-residual.ts';

/** Kernel, expanded channels, channels, squeeze and excitation, hard-swish, stride. */
type Row = readonly [number, number, number, boolean, boolean, number];

const [plain, excited, relu, swish] = [false, true, false, true];

interface Variant {
  title: string;
  alias: string;
  rows: readonly Row[];
  /** Width of the classifier's hidden layer. */
  hidden: number;
}

/** Howard et al., tables 1 and 2. */
const variants: Record<string, Variant> = {
  mobilenet_v3_small: {
    title: 'MobileNetV3 small',
    alias: 'mobilenetv3_small_100',
    rows: [
      [3, 16, 16, excited, relu, 2],
      [3, 72, 24, plain, relu, 2],
      [3, 88, 24, plain, relu, 1],
      [5, 96, 40, excited, swish, 2],
      [5, 240, 40, excited, swish, 1],
      [5, 240, 40, excited, swish, 1],
      [5, 120, 48, excited, swish, 1],
      [5, 144, 48, excited, swish, 1],
      [5, 288, 96, excited, swish, 2],
      [5, 576, 96, excited, swish, 1],
      [5, 576, 96, excited, swish, 1],
    ],
    hidden: 1024,
  },
  mobilenet_v3_large: {
    title: 'MobileNetV3 large',
    alias: 'mobilenetv3_large_100',
    rows: [
      [3, 16, 16, plain, relu, 1],
      [3, 64, 24, plain, relu, 2],
      [3, 72, 24, plain, relu, 1],
      [5, 72, 40, excited, relu, 2],
      [5, 120, 40, excited, relu, 1],
      [5, 120, 40, excited, relu, 1],
      [3, 240, 80, plain, swish, 2],
      [3, 200, 80, plain, swish, 1],
      [3, 184, 80, plain, swish, 1],
      [3, 184, 80, plain, swish, 1],
      [3, 480, 112, excited, swish, 1],
      [3, 672, 112, excited, swish, 1],
      [5, 672, 160, excited, swish, 2],
      [5, 960, 160, excited, swish, 1],
      [5, 960, 160, excited, swish, 1],
    ],
    hidden: 1280,
  },
};

interface Block {
  name: string;
  stride: number;
  expands: boolean;
  isExcited: boolean;
  /** Channels coming out. */
  out: number;
  layers: Layer[];
}

const unit = (name: string, out: number, options: object = {}): Layer[] => [
  convolution(`${name}.0`, out, options),
  batchNorm(`${name}.1`),
];

function blocksOf({ rows }: Variant, width: number): Block[] {
  let channels = divisible(16 * width);
  return rows.map(([kernel, wide, base, isExcited, isSwish, stride], index) => {
    const [hidden, out] = [divisible(wide * width), divisible(base * width)];
    const act = activation(isSwish ? 'hardSwish' : 'relu');
    const expands = hidden !== channels;
    let at = 0;
    const main = [
      ...(expands ? [...unit(`block.${at++}`, hidden), act] : []),
      ...unit(`block.${at++}`, hidden, { kernel, stride, groups: 'each' }),
      act,
      ...(isExcited
        ? [
            gate(
              globalPool(),
              pointwise(`block.${at}.fc1`, divisible(hidden / 4)),
              activation('relu'),
              pointwise(`block.${at++}.fc2`, hidden),
              activation('hardSigmoid'),
            ),
          ]
        : []),
      ...unit(`block.${at++}`, out),
    ];
    const layers = stride === 1 && channels === out ? [sum([], main)] : main;
    channels = out;
    return { name: `features.${index + 1}`, stride, expands, isExcited, out, layers };
  });
}

function timmNames(variant: Variant): Map<string, string> {
  const blocks = blocksOf(variant, 1);
  const last = `features.${blocks.length + 1}`;
  const stages = new Set(blocks.map(({ out }) => out)).size;
  return new Map([
    ['conv_stem', 'features.0.0'],
    ['bn1', 'features.0.1'],
    [`blocks.${stages}.0.conv`, `${last}.0`],
    [`blocks.${stages}.0.bn1`, `${last}.1`],
    ['conv_head', 'classifier.0'],
    ['classifier', 'classifier.3'],
    ...invertedNames(
      blocks.map((one, index) => ({
        ...one,
        timm: [
          new Set(blocks.slice(0, index + 1).map(({ out }) => out)).size - 1,
          blocks.slice(0, index).filter(({ out }) => out === one.out).length,
        ],
      })),
      timmInverted,
    ),
  ]);
}

export default Object.entries(variants).map(
  ([name, variant]): Architecture => ({
    name,
    title: variant.title,
    source: 'Howard et al., «Searching for MobileNetV3», ICCV 2019',
    aliases: [variant.alias],
    twins: [{ name: `tf_${variant.alias}`, library: 'timm', padding: 'same', batchNormEpsilon: 1e-3 }],
    describe({ width }) {
      const blocks = blocksOf(variant, width);
      const swishes = activation('hardSwish');
      const last = unit(`features.${blocks.length + 1}`, 6 * blocks.at(-1)!.out);
      const stem = [...unit('features.0', divisible(16 * width), { kernel: 3, stride: 2 }), swishes];
      return {
        batchNorm: { epsilon: 1e-3, momentum: 0.01 },
        stages: stagesByHalving(
          stem,
          blocks.map(({ stride, ...one }) => ({ stride, layer: block(one.name, ...one.layers) })),
          [...last, swishes],
        ),
        neck: [
          globalPool(),
          linear('classifier.0', divisible(variant.hidden * width)),
          swishes,
          dropout('classifier.2', 0.2),
        ],
        head: [linear('classifier.3', 'classes')],
      };
    },
    // timm trained its own with PyTorch's ε; those that it took from TensorFlow begin with tf_.
    dialects: () => [{ library: 'timm', names: timmNames(variant), batchNormEpsilon: 1e-5 }],
  }),
);
