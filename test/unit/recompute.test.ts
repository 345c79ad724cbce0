import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import '../../src-main/engine/gradients.ts';
import { relu, silu } from '../../src-main/backbones/activations.ts';
import type { Program } from '../../src-main/engine/engine.ts';
import { again, recomputeActivations } from '../../src-main/engine/lower/recompute.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';

/** One gradient step of a convolution behind an activation of `inner`, which is an image [1, 4, 4, 8] times a vector. */
function stepOf(
  inner: (scaled: tf.Tensor4D, images: tf.Tensor4D) => tf.Tensor4D,
  convolve: typeof tf.conv2d | typeof tf.depthwiseConv2d = tf.conv2d,
): Program {
  const kernel = { shape: [3, 3, 8, convolve === tf.conv2d ? 8 : 1], dtype: 'float32' as const };
  return {
    state: { w: kernel },
    batch: {
      images: { shape: [1, 4, 4, 8], dtype: 'float32' },
      factor: { shape: [8], dtype: 'float32' },
    },
    step({ w }, { images, factor }) {
      const loss = (weights: tf.Tensor): tf.Scalar => {
        const activated = relu(inner(tf.mul(images, factor), images as tf.Tensor4D));
        return tf.sum(convolve(activated, weights as tf.Tensor4D, 1, 'same'));
      };
      const { value, grad } = tf.valueAndGrad((weights: tf.Tensor) => loss(weights))(w);
      return { state: { w: tf.sub(w, grad) }, outputs: { loss: value } };
    },
  };
}

const kernelsOf = (program: Program) =>
  recomputeActivations(trace(program, {})).nodes.map(
    ({ kernel, attrs }) => `${kernel}${attrs[again] ? ' again' : ''}`,
  );

test('an activation of a map per channel is made again right before its gradient needs it', () => {
  const kernels = kernelsOf(stepOf((scaled) => scaled));
  expect(kernels.filter((kernel) => kernel.startsWith('Relu'))).toEqual(['Relu', 'Relu again']);
  expect(kernels[kernels.indexOf('Relu again') + 1]).toBe('Conv2DBackpropFilter');
});

test('an activation of a sum is made again with the sum, where both images are there', () => {
  const kernels = kernelsOf(stepOf((scaled, images) => tf.add(scaled, images)));
  const repeated = kernels.filter((kernel) => kernel.endsWith('again'));
  expect(repeated).toEqual(['Multiply again', 'Add again', 'Relu again']);
});

test('an activation of a sum with an image that no gradient needs is kept: that one would have to be', () => {
  const kernels = kernelsOf(stepOf((scaled, images) => tf.add(scaled, tf.avgPool(images, 3, 1, 'same'))));
  expect(kernels.filter((kernel) => kernel.endsWith('again'))).toEqual([]);
});

test('an activation is kept for a filter’s gradient that takes little longer than making it again', () => {
  const kernels = kernelsOf(stepOf((scaled) => scaled, tf.depthwiseConv2d));
  expect(kernels).toContain('DepthwiseConv2dNativeBackpropFilter');
  expect(kernels.filter((kernel) => kernel.endsWith('again'))).toEqual([]);
});

test('values for diagnosis change nothing of what is made again: they are no part of the forward pass', () => {
  const plain = stepOf((scaled) => scaled);
  const diagnosed: Program = {
    ...plain,
    step(state, batch) {
      const result = plain.step(state, batch);
      return { ...result, diagnosis: { update: tf.norm(tf.sub(state.w, result.state.w)) } };
    },
  };
  const kernels = kernelsOf(diagnosed);
  expect(kernels.slice(0, kernelsOf(plain).length)).toEqual(kernelsOf(plain));
  expect(kernels).toContain('Relu again');
  // As an output the same value makes the whole step its forward pass, and nothing is made again.
  const asOutput: Program = {
    ...diagnosed,
    step(state, batch) {
      const { diagnosis, ...result } = diagnosed.step(state, batch);
      return { ...result, outputs: { ...result.outputs, ...diagnosis } };
    },
  };
  expect(kernelsOf(asOutput).filter((kernel) => kernel.endsWith('again'))).toEqual([]);
});

test('what goes into a sigmoid is made again for its gradient, and not kept beside what it was made of', () => {
  const program: Program = {
    state: { w: { shape: [3, 3, 8, 8], dtype: 'float32' }, factor: { shape: [8], dtype: 'float32' } },
    batch: { images: { shape: [1, 4, 4, 8], dtype: 'float32' } },
    step({ w, factor }, { images }) {
      const loss = (weights: tf.Tensor, scale: tf.Tensor) =>
        tf.sum(tf.conv2d(silu(tf.mul(images, scale)) as tf.Tensor4D, weights as tf.Tensor4D, 1, 'same'));
      const { value, grads } = tf.valueAndGrads(
        (...given: tf.Tensor[]) => loss(given[0], given[1]) as tf.Scalar,
      )([w, factor]);
      return {
        state: { w: tf.sub(w, grads[0]), factor: tf.sub(factor, grads[1]) },
        outputs: { loss: value },
      };
    },
  };
  const { nodes } = recomputeActivations(trace(program, {}));
  const [remade] = nodes.filter(({ attrs }) => attrs[again]);
  expect(remade.kernel).toBe('Multiply');
  const sigmoids = nodes.filter(({ kernel }) => kernel === 'Sigmoid');
  expect(sigmoids.map(({ inputs }) => Object.values(inputs)[0] === remade.outputs[0])).toEqual([false, true]);
});
