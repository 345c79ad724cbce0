import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Engine, Program } from '../../src-main/engine/engine.ts';
import { inFilterBlocks, inItsBlocks } from '../../src-main/engine/lower/known-filters.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { groupedConv2d } from '../../src-main/engine/ops/grouped-convolution.ts';
import { random } from '../parity/parity.ts';

const { next } = random(7);
const drawn = (count: number) => Float32Array.from({ length: count }, () => 2 * next() - 1);
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

const shapes: Record<string, number[]> = {
  first: [3, 3, 3, 16],
  narrow: [1, 1, 16, 12],
  wide: [3, 3, 12, 32],
  same: [3, 3, 32, 32],
  depthwise: [3, 3, 32, 1],
  grouped: [3, 3, 4, 32],
  scores: [4, 4, 32, 64],
  odd: [64, 40],
  beside: [64, 300],
  below: [24, 340],
  pieces: [300, 64],
};
/** Batch norm after each convolution: γ, β, μ and σ² of its channels. */
const normalized: Record<string, number> = { first: 16, narrow: 12, wide: 32, depthwise: 32, grouped: 32 };
const norms = Object.entries(normalized).flatMap(([name, channels]) =>
  ['gamma', 'beta', 'mean', 'variance'].map((part) => [`${name}.${part}`, [channels]] as const),
);
const all = { ...shapes, ...Object.fromEntries(norms), bias: [32] };

/**
 * What an evaluated network may hold: batch norm behind every kind of convolution, sums, a filter taken three times, once with a
 * factor, few rows times a matrix, matrices side by side, rows of a table.
 */
const program: Program = {
  state: Object.fromEntries(Object.entries(all).map(([name, shape]) => [name, { shape, dtype: 'float32' }])),
  batch: { x: { shape: [2, 4, 4, 3], dtype: 'float32' } },
  step(state, { x }) {
    const t = state as Record<string, tf.Tensor4D>;
    const norm = (y: tf.Tensor4D, name: string) => {
      const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map(
        (part) => state[`${name}.${part}`],
      );
      const slope = tf.mul(gamma, tf.rsqrt(tf.add(variance, 1e-5)));
      return tf.add(tf.mul(y, slope), tf.sub(beta, tf.mul(mean, slope))) as tf.Tensor4D;
    };
    const a = tf.relu6(norm(tf.conv2d(x as tf.Tensor4D, t.first, 1, 'same'), 'first'));
    const b = norm(tf.conv2d(a, t.narrow, 1, 'same'), 'narrow');
    const c = tf.relu(norm(tf.conv2d(b, t.wide, 1, 'same'), 'wide'));
    const scaled = tf.relu(tf.mul(tf.conv2d(c, t.same, 1, 'same'), state.bias)) as tf.Tensor4D;
    const plain = tf.add(tf.conv2d(scaled, t.same, 1, 'same'), state.bias) as tf.Tensor4D;
    const d = tf.relu(tf.add(c, plain)) as tf.Tensor4D;
    const twice = tf.conv2d(d, t.same, 1, 'same');
    const e = tf.add(tf.mul(twice, state.bias), twice) as tf.Tensor4D;
    const f = norm(tf.depthwiseConv2d(e, t.depthwise, 1, 'same'), 'depthwise');
    const g = tf.add(norm(groupedConv2d(f, t.grouped, { groups: 8, stride: 1, pad: 'same' }), 'grouped'), f);
    const rows = tf.reshape(g, [2, -1]) as tf.Tensor2D;
    const scores = tf.matMul(rows, tf.reshape(state.scores, [512, 64]) as tf.Tensor2D);
    const joined = tf.concat([tf.concat([state.odd, state.beside], -1), state.below], 0) as tf.Tensor2D;
    const sums = tf.matMul(tf.concat([scores, tf.slice(scores, [0, 0], [2, 24])], 1) as tf.Tensor2D, joined);
    const picked = tf.gather(state.pieces, tf.tensor1d([7, 299, 0], 'int32'));
    return { state: {}, outputs: { scores, odd: tf.matMul(scores, state.odd as tf.Tensor2D), sums, picked } };
  },
};
const values = Object.fromEntries(
  Object.entries(all).map(([name, shape]) => {
    const numbers = drawn(sizeOf(shape));
    return [name, name.endsWith('variance') ? numbers.map((value) => 1.5 + value) : numbers];
  }),
);
const copied = (): Arrays =>
  Object.fromEntries(Object.entries(values).map(([name, array]) => [name, array.slice()]));
const batch = { x: drawn(2 * 4 * 4 * 3) };

describe('a program whose state never changes', () => {
  let engine: Engine;
  let expected: Arrays;
  beforeAll(async () => {
    engine = await openEngine('cpu');
    expected = await (await (await openReferenceEngine()).compile(program, { constants: copied() })).run(
      batch,
    );
  });
  afterAll(() => engine.dispose());

  test.each([false, true])('gives what it gives op by op (consumes %s)', async (consumes) => {
    const constants = copied();
    const executable = await engine.compile(program, { constants, consumes });
    for (const run of [1, 2]) {
      const outputs = await executable.run(batch);
      for (const [name, wanted] of Object.entries(expected)) {
        const scale = Math.max(...wanted.map(Math.abs));
        const worst = Math.max(...wanted.map((value, index) => Math.abs(value - outputs[name][index])));
        // Single precision in another order of sums, through eight layers.
        expect(worst / scale, `${name}, run ${run}`).toBeLessThan(1e-5);
      }
    }
    if (consumes) expect(constants.same.byteLength).toBe(0);
    else expect(constants).toEqual(values);
    await executable.dispose();
  });
});

test.each([
  [8, 8],
  [64, 32],
  [32 * 8, 8 * 8],
  [16 * 49, 16 * 8],
])('a matrix [%i, %i] comes into blocks where it is', (channelsIn, channelsOut) => {
  const matrix = drawn(channelsIn * channelsOut);
  const expected = inFilterBlocks(matrix, [1, 1, channelsIn, channelsOut], 8);
  const made = inItsBlocks(matrix, [channelsIn, channelsOut], 8);
  expect(made).toBe(matrix);
  expect(made).toEqual(expected);
});

test('a matrix that is no row of squares, or has no whole blocks, stays as it was', () => {
  for (const shape of [
    [40, 128],
    [64, 20],
    [12, 8],
  ])
    expect(inItsBlocks(drawn(shape[0] * shape[1]), shape, 8)).toBeUndefined();
});
