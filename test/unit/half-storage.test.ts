import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine, Program } from '../../src-main/engine/engine.ts';
import { storeHalves } from '../../src-main/engine/lower/half-storage.ts';
import { lower } from '../../src-main/engine/lower/lower.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { openSession } from '../../src-main/engine/run/session.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';

let mixed: Engine;
beforeAll(async () => {
  mixed = await openEngine('cpu', { precision: 'mixed' });
});
afterAll(async () => {
  await mixed.dispose();
});

const pixel = { shape: [1, 1, 1, 1], dtype: 'float32' as const };

/** Loss Σ (w·x)², whose gradient 2·(w·x)·x uses w·x of the forward pass. */
const square: Program = {
  state: { w: pixel },
  batch: { x: pixel },
  step({ w }, { x }) {
    const loss = (weight: tf.Tensor) => tf.sum(tf.square(tf.mul(weight, x))) as tf.Scalar;
    const { value, grad } = tf.valueAndGrad(loss)(w);
    return { state: { w: grad }, outputs: { loss: value } };
  },
};

test('what the gradient uses of the forward pass is rounded to half precision, parameters and arithmetic are not', async () => {
  const executable = await mixed.compile(square);
  const w = Math.fround(1 + 2 ** -12);
  await executable.load({ w: Float32Array.of(w) });
  const { loss } = await executable.run({ x: Float32Array.of(3) });
  // Half precision keeps 11 bits: w·3 = 3 + 3·2⁻¹² is nearest to 3; the loss goes on from there.
  expect(loss[0]).toBe(9);
  expect((await executable.read()).w[0]).toBe(2 * 3 * 3);
  await executable.load({ w: Float32Array.of(w) });
  expect((await executable.read()).w[0]).toBe(w);
  await executable.dispose();
});

test('ONNX Runtime keeps the value for now and the value for later apart, so that only the half lives in between', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cotune-half-'));
  const optimizedModelFilePath = join(folder, 'optimized.onnx');
  const target = { provider: 'gpu', layout: 'nhwc', block: 0, halfStorage: true } as const;
  const session = await openSession(lower(trace(square), target).model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    optimizedModelFilePath,
  });
  await session.release();
  // A node's operator is field 4 of its message: one cast to half precision and two back.
  const casts = readFileSync(optimizedModelFilePath, 'latin1').split('\x22\x04Cast').length - 1;
  rmSync(folder, { recursive: true });
  expect(casts).toBe(3);
});

test('an evaluation keeps nothing, and is the same in either precision', () => {
  const { nodes } = storeHalves(trace({ ...square, step: (_, { x }) => ({ state: {}, outputs: { x } }) }));
  expect(nodes).toEqual([]);
  const forward: Program = {
    ...square,
    step: ({ w }, { x }) => ({ state: {}, outputs: { y: tf.square(tf.mul(w, x)) } }),
  };
  const before = trace(forward);
  expect(storeHalves(before).nodes.map(({ kernel }) => kernel)).toEqual(
    before.nodes.map(({ kernel }) => kernel),
  );
});
