import * as tf from '@tensorflow/tfjs-core';
import { relu } from './activations.ts';
import {
  type Backbone,
  type BackboneOptions,
  batchNormTensors,
  type Scope,
  type TensorDescription,
} from './backbone.ts';
import { convolution, globalAveragePool } from './layers.ts';

/** Blocks per stage and whether they are bottlenecks. He et al., «Deep Residual Learning», CVPR 2016, table 1. */
const variants = {
  resnet18: { blocks: [2, 2, 2, 2], bottleneck: false },
  resnet34: { blocks: [3, 4, 6, 3], bottleneck: false },
  resnet50: { blocks: [3, 4, 6, 3], bottleneck: true },
  resnet101: { blocks: [3, 4, 23, 3], bottleneck: true },
} as const;

export type ResNetArchitecture = keyof typeof variants;

interface Block {
  prefix: string;
  channelsIn: number;
  /** Channels of the inner convolutions. */
  width: number;
  channelsOut: number;
  stride: number;
}

/** ResNet of any width with torchvision's names; a bottleneck strides in its 3×3 convolution, as torchvision (v1.5) does. */
export function resnet(options: BackboneOptions & { architecture: ResNetArchitecture }): Backbone {
  const { blocks: counts, bottleneck } = variants[options.architecture];
  const expansion = bottleneck ? 4 : 1;
  const blocks: Block[] = [];
  const stem = Math.round(64 * options.width);
  let channels = stem;
  counts.forEach((count, stage) => {
    const width = stem * 2 ** stage;
    for (let index = 0; index < count; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const prefix = `layer${stage + 1}.${index}`;
      blocks.push({ prefix, channelsIn: channels, width, channelsOut: width * expansion, stride });
      channels = width * expansion;
    }
  });
  const { padding } = options;

  function blockForward(x: tf.Tensor4D, block: Block, scope: Scope): tf.Tensor4D {
    const { prefix, stride } = block;
    const convolve = (input: tf.Tensor4D, index: number, by: number) =>
      convolution(
        input,
        scope,
        { conv: `${prefix}.conv${index}`, norm: `${prefix}.bn${index}` },
        by,
        padding,
      );
    let y: tf.Tensor4D;
    if (bottleneck) {
      y = relu(convolve(x, 1, 1));
      y = relu(convolve(y, 2, stride));
      y = convolve(y, 3, 1);
    } else {
      y = relu(convolve(x, 1, stride));
      y = convolve(y, 2, 1);
    }
    const shortcut = hasDownsample(block)
      ? convolution(
          x,
          scope,
          { conv: `${prefix}.downsample.0`, norm: `${prefix}.downsample.1` },
          stride,
          padding,
        )
      : x;
    return relu(tf.add(y, shortcut));
  }

  return {
    tensors: [
      { name: 'conv1.weight', kind: 'conv', shape: [stem, 3, 7, 7] },
      ...batchNormTensors('bn1', stem),
      ...blocks.flatMap((block) => blockTensors(block, bottleneck)),
    ],
    features: channels,
    stages: [['conv1', 'bn1'], ...counts.map((_, stage) => [`layer${stage + 1}`])],
    head: 'fc',
    forward(images, scope) {
      let x = relu(convolution(images, scope, { conv: 'conv1', norm: 'bn1' }, 2, padding));
      x = tf.maxPool(x, 3, 2, padding === 'same' ? 'same' : 1);
      for (const block of blocks) x = blockForward(x, block, scope);
      return globalAveragePool(x);
    },
  };
}

const hasDownsample = (block: Block): boolean => block.stride !== 1 || block.channelsIn !== block.channelsOut;

function blockTensors(block: Block, bottleneck: boolean): TensorDescription[] {
  const { prefix, channelsIn, width, channelsOut } = block;
  const unit = (conv: string, norm: string, from: number, to: number, side: number): TensorDescription[] => [
    { name: `${prefix}.${conv}.weight`, kind: 'conv', shape: [to, from, side, side] },
    ...batchNormTensors(`${prefix}.${norm}`, to),
  ];
  return [
    ...unit('conv1', 'bn1', channelsIn, width, bottleneck ? 1 : 3),
    ...unit('conv2', 'bn2', width, width, 3),
    ...(bottleneck ? unit('conv3', 'bn3', width, channelsOut, 1) : []),
    ...(hasDownsample(block) ? unit('downsample.0', 'downsample.1', channelsIn, channelsOut, 1) : []),
  ];
}
