import type { Architecture, ShapeOf } from '../architecture.ts';
import {
  activation,
  batchNorm,
  block,
  convolution,
  dropout,
  globalPool,
  type Layer,
  linear,
  sum,
} from '../description.ts';
import { divisible } from '../divisible.ts';

/** Expansion, channels, blocks, stride. Sandler et al., «MobileNetV2», CVPR 2018, table 2. */
const table = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

interface Block {
  name: string;
  /** The same block's name in timm. */
  timm: string;
  channelsIn: number;
  hidden: number;
  channelsOut: number;
  stride: number;
}

function layOut(width: number): { stem: number; blocks: Block[]; features: number } {
  const stem = divisible(32 * width);
  const blocks: Block[] = [];
  let channels = stem;
  for (const [stage, [expansion, base, count, stride]] of table.entries())
    for (let index = 0; index < count; index++) {
      const channelsOut = divisible(base * width);
      blocks.push({
        name: `features.${blocks.length + 1}`,
        timm: `blocks.${stage}.${index}`,
        channelsIn: channels,
        hidden: channels * expansion,
        channelsOut,
        stride: index === 0 ? stride : 1,
      });
      channels = channelsOut;
    }
  return { stem, blocks, features: divisible(1280 * Math.max(1, width)) };
}

/** Names inside a block: the expansion is absent where it would not widen. */
function namesIn({ hidden, channelsIn }: Block) {
  const at = hidden === channelsIn ? 0 : 1;
  return {
    expand: at ? { conv: 'conv.0.0', norm: 'conv.0.1' } : null,
    depthwise: { conv: `conv.${at}.0`, norm: `conv.${at}.1` },
    project: { conv: `conv.${at + 1}`, norm: `conv.${at + 2}` },
  };
}

function layersOf(one: Block): Layer[] {
  const { expand, depthwise, project } = namesIn(one);
  const relu6 = activation('relu6');
  const main = [
    ...(expand ? [convolution(expand.conv, one.hidden), batchNorm(expand.norm), relu6] : []),
    convolution(depthwise.conv, one.hidden, { kernel: 3, stride: one.stride, groups: 'each' }),
    batchNorm(depthwise.norm),
    relu6,
    convolution(project.conv, one.channelsOut),
    batchNorm(project.norm),
  ];
  return one.stride === 1 && one.channelsIn === one.channelsOut ? [sum([], main)] : main;
}

/** Stages begin where the side halves, as a ResNet's do; the stem is what comes before the second halving. */
function stagesOf(blocks: Block[]): Layer[][] {
  const stages: Layer[][] = [[]];
  for (const one of blocks) {
    if (one.stride === 2) stages.push([]);
    stages.at(-1)!.push(block(one.name, ...layersOf(one)));
  }
  return stages;
}

/**
 * The width multiplier whose channels are those of a file's tensors. Rounding makes many multipliers the same network:
 * any of them will do. Where none fits, the one that the stem suggests, so that what differs can be listed.
 */
function widthOf(shapeOf: ShapeOf): number {
  const channels = (name: string) => shapeOf(`${name}.weight`)?.[0];
  for (let width = 0.05; width < 4; width += 0.005) {
    const { stem, blocks, features } = layOut(width);
    const fits =
      stem === channels('features.0.0') &&
      features === channels(`features.${blocks.length + 1}.0`) &&
      blocks.every((one) => one.channelsOut === channels(`${one.name}.${namesIn(one).project.conv}`));
    if (fits) return width;
  }
  return (channels('features.0.0') ?? 32) / 32;
}

/** timm's layers (mobilenetv2_050 … mobilenetv2_140). */
function timmNames(): Map<string, string> {
  const { blocks } = layOut(1);
  const last = `features.${blocks.length + 1}`;
  const layers = new Map([
    ['conv_stem', 'features.0.0'],
    ['bn1', 'features.0.1'],
    ['conv_head', `${last}.0`],
    ['bn2', `${last}.1`],
    ['classifier', 'classifier.1'],
  ]);
  for (const one of blocks) {
    const { expand, depthwise, project } = namesIn(one);
    const units: [string, string, { conv: string; norm: string }][] = expand
      ? [
          ['conv_pw', 'bn1', expand],
          ['conv_dw', 'bn2', depthwise],
          ['conv_pwl', 'bn3', project],
        ]
      : [
          ['conv_dw', 'bn1', depthwise],
          ['conv_pw', 'bn2', project],
        ];
    for (const [conv, norm, names] of units) {
      layers.set(`${one.timm}.${conv}`, `${one.name}.${names.conv}`);
      layers.set(`${one.timm}.${norm}`, `${one.name}.${names.norm}`);
    }
  }
  return layers;
}

/** Names of transformers' MobileNetV2, whose stem has the first block in it. */
function transformersNames(): Map<string, string> {
  const { blocks } = layOut(1);
  const last = `features.${blocks.length + 1}`;
  const names = new Map([['classifier', 'classifier.1']]);
  const unit = (theirs: string, ours: { conv: string; norm: string }) => {
    names.set(`mobilenet_v2.${theirs}.convolution`, ours.conv);
    names.set(`mobilenet_v2.${theirs}.normalization`, ours.norm);
  };
  unit('conv_stem.first_conv', { conv: 'features.0.0', norm: 'features.0.1' });
  unit('conv_1x1', { conv: `${last}.0`, norm: `${last}.1` });
  for (const [index, one] of blocks.entries()) {
    const { expand, depthwise, project } = namesIn(one);
    const theirs = index === 0 ? 'conv_stem' : `layer.${index - 1}`;
    const within = ({ conv, norm }: { conv: string; norm: string }) => ({
      conv: `${one.name}.${conv}`,
      norm: `${one.name}.${norm}`,
    });
    if (expand) unit(`${theirs}.expand_1x1`, within(expand));
    unit(`${theirs}.conv_3x3`, within(depthwise));
    unit(`${theirs}.reduce_1x1`, within(project));
  }
  return names;
}

const mobilenetV2: Architecture = {
  name: 'mobilenet_v2',
  title: 'MobileNetV2',
  source: 'Sandler et al., «MobileNetV2: Inverted Residuals and Linear Bottlenecks», CVPR 2018',
  aliases: ['035', '050', '075', '100', '140'].map((width) => `mobilenetv2_${width}`),
  describe({ width }) {
    const { stem, blocks, features } = layOut(width);
    const last = `features.${blocks.length + 1}`;
    const relu6 = activation('relu6');
    const [first, ...others] = stagesOf(blocks);
    const begin = [
      convolution('features.0.0', stem, { kernel: 3, stride: 2 }),
      batchNorm('features.0.1'),
      relu6,
    ];
    const end = [convolution(`${last}.0`, features), batchNorm(`${last}.1`), relu6];
    return {
      batchNorm: { epsilon: 1e-5, momentum: 0.1 },
      stages: [[...begin, ...first], ...others.slice(0, -1), [...others.at(-1)!, ...end]],
      neck: [globalPool(), dropout('classifier.0', 0.2)],
      head: [linear('classifier.1', 'classes')],
    };
  },
  sizesOf: (shapeOf) => ({ width: widthOf(shapeOf) }),
  dialects: () => [
    { library: 'timm', names: timmNames() },
    // Its weights are Google's, trained in TensorFlow.
    { library: 'transformers', names: transformersNames(), padding: 'same', batchNormEpsilon: 1e-3 },
  ],
};

export default [mobilenetV2];
