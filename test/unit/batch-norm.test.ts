import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { batchNormTraining } from '../../src-main/backbones/batch-norm.ts';
import { nearMean } from '../../src-main/backbones/layers/convolution.ts';
import type { Arrays, Engine, Specs, Tensors } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { random } from '../parity/parity.ts';

const engine: Engine = await openEngine('cpu');
const channels = 16;

/** What a function of tensors of random numbers around a mean gives on the CPU engine. */
async function outputsOf(fed: Arrays, specs: Specs, f: (tensors: Tensors) => Tensors): Promise<Arrays> {
  const program = {
    state: {},
    batch: specs,
    step: (_: Tensors, given: Tensors) => ({ state: {}, outputs: f(given) }),
  };
  const executable = await engine.compile(program);
  const outputs = await executable.run(fed);
  await executable.dispose();
  return outputs;
}

/** A batch of four pictures [4, 8, 8, 16] whose pixels are `mean` ± 1, and the batch norm of a 1×1 convolution that keeps them. */
async function normalized(mean: (channel: number) => number, spread = 1) {
  const { next } = random(5);
  const x = Float32Array.from(
    { length: 4 * 64 * channels },
    (_, at) => mean(at % channels) + spread * (2 * next() - 1),
  );
  const identity = Float32Array.from({ length: channels ** 2 }, (_, at) => Number(at % (channels + 1) === 0));
  const vector = (value: number) => new Float32Array(channels).fill(value);
  const outputs = await outputsOf(
    { x, w: identity, gamma: vector(1), beta: vector(0.5) },
    {
      x: { shape: [4, 8, 8, channels], dtype: 'float32' },
      w: { shape: [1, 1, channels, channels], dtype: 'float32' },
      gamma: { shape: [channels], dtype: 'float32' },
      beta: { shape: [channels], dtype: 'float32' },
    },
    (fed) => {
      const [images, kernel] = [fed.x as tf.Tensor4D, fed.w as tf.Tensor4D];
      const near = nearMean(tf.conv2d, images, kernel, 1, 'same');
      const image = tf.conv2d(images, kernel, 1, 'same');
      const { y, ...statistics } = batchNormTraining(
        image,
        fed.gamma as tf.Tensor1D,
        fed.beta as tf.Tensor1D,
        1e-5,
        near,
      );
      return { y, ...statistics };
    },
  );
  return { x, ...outputs } as Record<'x' | 'y' | 'mean' | 'variance', Float32Array>;
}

test('statistics of pixels far from zero keep their digits', async () => {
  const { x, mean, variance, y } = await normalized((channel) => 1000 + channel);
  for (let channel = 0; channel < channels; channel++) {
    const values = Array.from(x).filter((_, at) => at % channels === channel);
    const average = values.reduce((sum, value) => sum + value) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length;
    expect(mean[channel]).toBeCloseTo(average, 3);
    expect(variance[channel] / squares).toBeCloseTo(1, 4);
    expect(y[channel]).toBeCloseTo((x[channel] - average) / Math.sqrt(squares + 1e-5) + 0.5, 3);
  }
});

test('pixels that are all the same become the shift', async () => {
  const { variance, y } = await normalized((channel) => 1000 / (channel + 1), 0);
  for (const value of variance) expect(value).toBeGreaterThanOrEqual(0);
  for (const value of variance) expect(value).toBeLessThan(1e-4);
  for (const value of y) expect(value).toBeCloseTo(0.5, 1);
});

const kernels = { dense: tf.conv2d, depthwise: tf.depthwiseConv2d };

test.each([
  ['dense', 1, 2, 'same', 6],
  ['dense', 3, 1, 1, 1],
  ['dense', 3, 2, 'same', 5],
  ['dense', 7, 2, 3, 8],
  ['depthwise', 3, 1, 'same', 1],
  ['depthwise', 3, 2, 1, 4],
] as const)(
  'for images of one color the value near the mean is the mean: %s %i×, stride %i, padding %s, side %i',
  async (kind, size, stride, pad, side) => {
    const { next } = random(7);
    const color = Array.from({ length: channels }, () => next());
    const x = Float32Array.from({ length: 2 * side ** 2 * channels }, (_, at) => color[at % channels]);
    const outs = kind === 'dense' ? channels : 1;
    const w = Float32Array.from({ length: size ** 2 * channels * outs }, () => next() - 0.3);
    const convolve = kernels[kind];
    const { near, mean } = await outputsOf(
      { x, w },
      {
        x: { shape: [2, side, side, channels], dtype: 'float32' },
        w: { shape: [size, size, channels, outs], dtype: 'float32' },
      },
      (fed) => {
        const [images, kernel] = [fed.x as tf.Tensor4D, fed.w as tf.Tensor4D];
        return {
          near: nearMean(convolve, images, kernel, stride, pad),
          mean: tf.mean(convolve(images, kernel, stride, pad), [0, 1, 2]),
        };
      },
    );
    for (const [channel, value] of mean.entries()) expect(near[channel]).toBeCloseTo(value, 4);
  },
);
