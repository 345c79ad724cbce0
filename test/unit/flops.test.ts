import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { partsUntil } from '../../src-main/backbones/parts.ts';
import { countFlops } from '../../src-main/engine/flops.ts';
import { sizeOf } from '../../src-main/engine/trace/ir.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { evaluationProgram } from '../../src-main/transfer/evaluation-program.ts';
import type { Network } from '../../src-main/transfer/network.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';

const networkOf = (architecture: string): Network => ({
  backbone: createBackbone({ architecture, padding: 'symmetric', width: 1 }),
  batchNormEpsilon: 1e-5,
  sourceClasses: 1000,
  targetClasses: 1000,
});

const forward = (architecture: string, batch = 1): number =>
  countFlops(evaluationProgram(networkOf(architecture), 'source', batch, 224));

function training(architecture: string, frozen = 0): number {
  const network = networkOf(architecture);
  const blocks = partsUntil(network.backbone, frozen);
  return countFlops(
    trainingProgram(network, {
      batch: 2,
      size: 224,
      terms: termsOf([], frozen > 0 ? [{ name: 'frozen-blocks', blocks }] : []),
      optimizer: optimizerOf({ name: 'sgd' }),
      headLearningRateMultiplier: 10,
    }),
  );
}

// torchvision states multiply-adds in billions, with three decimals («_ops» of its weights).
test.each<[string, number]>([
  ['resnet18', 1.814],
  ['resnet34', 3.664],
  ['resnet50', 4.089],
  ['resnet101', 7.801],
  ['mobilenet_v2', 0.301],
])('the forward pass of %s has the multiply-adds that torchvision states', (architecture, billions) => {
  expect(Math.abs(forward(architecture) / 2e9 - billions)).toBeLessThan(0.0005);
});

test('a batch of three is three images', () => {
  expect(forward('resnet18', 3)).toBe(3 * forward('resnet18'));
});

/** The first convolution's operations for two images: its input needs no gradient. */
const firstLayer = {
  resnet50: 2 * 2 * 112 ** 2 * 64 * 7 ** 2 * 3,
  mobilenet_v2: 2 * 2 * 112 ** 2 * 32 * 3 ** 2 * 3,
};

/** A convolution's operations for one pixel: what batch norm takes for a value near its mean. */
const onePixel = (architecture: string, isTrained = (_name: string) => true): number =>
  networkOf(architecture)
    .backbone.tensors.filter(({ name, kind }) => (kind === 'conv' || kind === 'depthwise') && isTrained(name))
    .reduce((sum, { shape }) => sum + 2 * sizeOf(shape), 0);

test.each(['resnet50', 'mobilenet_v2'] as const)(
  'a training step of %s is three forward passes, less the gradient of the images, and one pixel of each layer',
  (architecture) => {
    const passes = 3 * forward(architecture, 2) - firstLayer[architecture];
    expect(training(architecture)).toBe(passes + onePixel(architecture));
  },
);

test('frozen stages cost their forward pass, and what is behind them no gradient of its input', () => {
  // Multiply-adds of two images: the first block of a stage doubles the channels and halves the side.
  const stage = (side: number, width: number) => {
    const entry = 2 * side ** 2 * width * (width / 2) * (9 + 1);
    return { entry, all: entry + 3 * 2 * side ** 2 * width ** 2 * 9 };
  };
  const [third, fourth, head] = [stage(14, 256), stage(7, 512), 2 * 512 * 1000];
  const pass = forward('resnet18', 2);
  const near = onePixel('resnet18', (name) => /^layer[34]/.test(name));
  expect(training('resnet18', 2)).toBe(pass + 2 * (2 * (third.all + fourth.all + head) - third.entry) + near);
  expect(training('resnet18', 4)).toBe(pass + 2 * head);
});

test('products count their inner extent, transposed or not, and broadcast', () => {
  const spec = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
  const flops = (a: number[], b: number[], transposeA: boolean, transposeB: boolean) =>
    countFlops({
      state: {},
      batch: { a: spec(...a), b: spec(...b) },
      step: (_, { a: left, b: right }) => ({
        state: {},
        outputs: { c: tf.matMul(left, right, transposeA, transposeB) },
      }),
    });
  expect(flops([3, 5], [5, 7], false, false)).toBe(2 * 3 * 5 * 7);
  expect(flops([5, 3], [7, 5], true, true)).toBe(2 * 3 * 5 * 7);
  expect(flops([4, 3, 5], [1, 5, 7], false, false)).toBe(2 * 4 * 3 * 5 * 7);
});

test('depthwise convolutions and strides count what they compute', () => {
  const spec = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
  const flops = countFlops({
    state: {},
    batch: { x: spec(2, 8, 8, 6), w: spec(3, 3, 6, 1) },
    step: (_, { x, w }) => ({
      state: {},
      outputs: { y: tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same') },
    }),
  });
  expect(flops).toBe(2 * 2 * 4 * 4 * 6 * 9);
});
