import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import type { Program } from '../../src-main/engine/engine.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';

const program = (draw: (x: tf.Tensor) => tf.Tensor): Program => ({
  state: {},
  batch: { x: { shape: [4], dtype: 'float32' } },
  step: (_, { x }) => ({ state: {}, outputs: { y: draw(x) } }),
});

test.each([
  ['randomNormal', (x: tf.Tensor) => tf.add(x, tf.randomNormal([4]))],
  ['randomNormal', (x: tf.Tensor) => tf.add(x, tf.randomNormal([4], 0, 1, 'float32', 7))],
  ['randomUniform', (x: tf.Tensor) => tf.mul(x, tf.randomUniform([4], 0, 1, 'float32', 3))],
  ['truncatedNormal', (x: tf.Tensor) => tf.mul(x, tf.truncatedNormal([4]))],
  ['dropout', (x: tf.Tensor) => tf.dropout(x, 0.5)],
])('tf.%s cannot be traced: a step would draw the same numbers for ever', (name, draw) => {
  expect(() => trace(program(draw))).toThrow(new RegExp(`tf\\.${name}.*every step would get the same`));
});

test('constants that are not drawn can', () => {
  expect(trace(program((x) => tf.mul(x, tf.tensor1d([1, 2, 3, 4])))).nodes).toHaveLength(1);
});
