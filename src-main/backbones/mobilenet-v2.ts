import * as tf from '@tensorflow/tfjs-core';
import { relu6 } from './activations.ts';
import {
  type Backbone,
  type BackboneOptions,
  batchNormTensors,
  type Scope,
  type TensorDescription,
} from './backbone.ts';
import { convolution, depthwiseConvolution, globalAveragePool } from './layers.ts';

/** Expansion, channels, blocks, stride. Sandler et al., «MobileNetV2», CVPR 2018, table 2. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Channels at a width multiplier: the nearest multiple of 8, never more than 10 % below (torchvision's rule). */
function scaled(channels: number, width: number): number {
  const value = channels * width;
  const rounded = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return rounded < 0.9 * value ? rounded + 8 : rounded;
}

interface Block {
  prefix: string;
  /** The same block's prefix in timm. */
  timm: string;
  channelsIn: number;
  hidden: number;
  channelsOut: number;
  stride: number;
}

function layOut(width: number): { stem: number; blocks: Block[]; features: number } {
  const stem = scaled(32, width);
  const blocks: Block[] = [];
  let channels = stem;
  stages.forEach(([expansion, base, count, stride], stage) => {
    for (let index = 0; index < count; index++) {
      const channelsOut = scaled(base, width);
      blocks.push({
        prefix: `features.${blocks.length + 1}.conv`,
        timm: `blocks.${stage}.${index}`,
        channelsIn: channels,
        hidden: channels * expansion,
        channelsOut,
        stride: index === 0 ? stride : 1,
      });
      channels = channelsOut;
    }
  });
  return { stem, blocks, features: scaled(1280, Math.max(1, width)) };
}

/**
 * The width multiplier whose channels are those of a file's tensors. Rounding makes many multipliers the same network:
 * any of them will do. Where none fits, the one that the stem suggests, so that what differs can be listed.
 */
export function mobilenetV2Width(shapeOf: (name: string) => number[] | undefined): number {
  const channels = (name: string) => shapeOf(`${name}.weight`)?.[0];
  for (let width = 0.05; width < 4; width += 0.005) {
    const { stem, blocks, features } = layOut(width);
    const fits =
      stem === channels('features.0.0') &&
      features === channels(`features.${blocks.length + 1}.0`) &&
      blocks.every((block) => block.channelsOut === channels(blockNames(block).project.conv));
    if (fits) return width;
  }
  return (channels('features.0.0') ?? 32) / 32;
}

/** Names inside a block: the expansion is absent where it would not widen. */
function blockNames({ prefix, hidden, channelsIn }: Block) {
  const expands = hidden !== channelsIn;
  const at = expands ? 1 : 0;
  return {
    expand: expands ? { conv: `${prefix}.0.0`, norm: `${prefix}.0.1` } : null,
    depthwise: { conv: `${prefix}.${at}.0`, norm: `${prefix}.${at}.1` },
    project: { conv: `${prefix}.${at + 1}`, norm: `${prefix}.${at + 2}` },
  };
}

const stemNames = { conv: 'features.0.0', norm: 'features.0.1' };

/** MobileNetV2 of any width with torchvision's names. */
export function mobilenetV2({ padding, width }: BackboneOptions): Backbone {
  const { stem, blocks, features } = layOut(width);
  const last = `features.${blocks.length + 1}`;

  function blockForward(x: tf.Tensor4D, block: Block, scope: Scope): tf.Tensor4D {
    const names = blockNames(block);
    let y = x;
    if (names.expand) y = relu6(convolution(y, scope, names.expand, 1, padding));
    y = relu6(depthwiseConvolution(y, scope, names.depthwise, block.stride, padding));
    y = convolution(y, scope, names.project, 1, padding);
    return block.stride === 1 && block.channelsIn === block.channelsOut ? tf.add(x, y) : y;
  }

  return {
    tensors: [
      { name: 'features.0.0.weight', kind: 'conv', shape: [stem, 3, 3, 3] },
      ...batchNormTensors('features.0.1', stem),
      ...blocks.flatMap(blockTensors),
      {
        name: `${last}.0.weight`,
        kind: 'conv',
        shape: [features, blocks[blocks.length - 1].channelsOut, 1, 1],
      },
      ...batchNormTensors(`${last}.1`, features),
    ],
    features,
    stages: stagesOf(blocks),
    head: 'classifier.1',
    forward(images, scope) {
      let x = relu6(convolution(images, scope, stemNames, 2, padding));
      for (const block of blocks) x = blockForward(x, block, scope);
      x = relu6(convolution(x, scope, { conv: `${last}.0`, norm: `${last}.1` }, 1, padding));
      return globalAveragePool(x);
    },
  };
}

/** Stages begin where the side halves, as a ResNet's do; the stem is what comes before the second halving. */
function stagesOf(blocks: Block[]): string[][] {
  const stages = [['features.0']];
  for (const [index, { stride }] of blocks.entries()) {
    if (stride === 2) stages.push([]);
    stages.at(-1)!.push(`features.${index + 1}`);
  }
  stages.at(-1)!.push(`features.${blocks.length + 1}`);
  return stages;
}

function blockTensors(block: Block): TensorDescription[] {
  const names = blockNames(block);
  const { channelsIn, hidden, channelsOut } = block;
  return [
    ...(names.expand
      ? [
          { name: `${names.expand.conv}.weight`, kind: 'conv' as const, shape: [hidden, channelsIn, 1, 1] },
          ...batchNormTensors(names.expand.norm, hidden),
        ]
      : []),
    { name: `${names.depthwise.conv}.weight`, kind: 'depthwise', shape: [hidden, 1, 3, 3] },
    ...batchNormTensors(names.depthwise.norm, hidden),
    { name: `${names.project.conv}.weight`, kind: 'conv', shape: [channelsOut, hidden, 1, 1] },
    ...batchNormTensors(names.project.norm, channelsOut),
  ];
}

/** timm's layer names → torchvision's (timm: mobilenetv2_050 … mobilenetv2_140). */
export function timmMobilenetV2Layers(): Map<string, string> {
  const { blocks } = layOut(1);
  const last = `features.${blocks.length + 1}`;
  const layers = new Map([
    ['conv_stem', 'features.0.0'],
    ['bn1', 'features.0.1'],
    ['conv_head', `${last}.0`],
    ['bn2', `${last}.1`],
    ['classifier', 'classifier.1'],
  ]);
  for (const block of blocks) {
    const names = blockNames(block);
    const parts = names.expand
      ? {
          conv_pw: names.expand.conv,
          bn1: names.expand.norm,
          conv_dw: names.depthwise.conv,
          bn2: names.depthwise.norm,
          conv_pwl: names.project.conv,
          bn3: names.project.norm,
        }
      : {
          conv_dw: names.depthwise.conv,
          bn1: names.depthwise.norm,
          conv_pw: names.project.conv,
          bn2: names.project.norm,
        };
    for (const [timm, torchvision] of Object.entries(parts)) layers.set(`${block.timm}.${timm}`, torchvision);
  }
  return layers;
}
