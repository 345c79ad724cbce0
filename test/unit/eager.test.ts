import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openReferenceEngine, openTensorflowEngine } from '../../src-main/engine/eager.ts';
import type { Engine, Program } from '../../src-main/engine/engine.ts';

/** Gradient descent on (w - target)²: small enough to check by hand. */
const descent: Program = {
  state: { w: { shape: [2], dtype: 'float32' } },
  batch: { target: { shape: [2], dtype: 'float32' } },
  step(state, batch) {
    const loss = (w: tf.Tensor) => tf.sum(tf.square(tf.sub(w, batch.target))) as tf.Scalar;
    const { value, grad } = tf.valueAndGrad(loss)(state.w);
    return { state: { w: tf.sub(state.w, tf.mul(grad, 0.25)) }, outputs: { loss: value } };
  },
};

async function descends(engine: Engine): Promise<void> {
  const executable = await engine.compile(descent);
  await executable.load({ w: Float32Array.of(4, 0) });
  const target = Float32Array.of(0, 2);
  expect([...(await executable.run({ target })).loss]).toEqual([20]);
  expect([...(await executable.run({ target })).loss]).toEqual([5]);
  expect([...(await executable.read(['w'])).w]).toEqual([1, 1.5]);
  await executable.dispose();
}

test('a program’s state is carried from run to run', async () => {
  await descends(await openReferenceEngine());
});

test('values of the wrong number, and state never loaded, are refused by name', async () => {
  const executable = await (await openReferenceEngine()).compile(descent);
  await expect(executable.load({ w: Float32Array.of(1) })).rejects.toThrow('"w" needs 2 values and has 1');
  await expect(executable.run({ target: Float32Array.of(0, 0) })).rejects.toThrow('State not loaded: w');
});

test('the tensorflow engine takes the first package that loads, and restores the functions it needs of Node', async () => {
  const asked: string[] = [];
  const engine = await openTensorflowEngine('full', async (name) => {
    asked.push(name);
    const { default: util } = (await import('node:util')) as unknown as {
      default: { isNullOrUndefined(value: unknown): boolean };
    };
    expect(util.isNullOrUndefined(undefined)).toBe(true);
    if (name.endsWith('gpu')) throw new Error('libcudart.so.11.0: cannot open shared object file\n    at …');
    return { version: { 'tfjs-node': '4.22.0' } };
  });
  expect(asked).toEqual(['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']);
  expect(engine.info).toEqual({
    name: 'tensorflow',
    device: '@tensorflow/tfjs-node',
    versions: { 'tfjs-node': '4.22.0' },
  });
});

test('a machine without TensorFlow learns why each package did not load', async () => {
  const failing = openTensorflowEngine('full', async (name) => {
    throw new Error(name.endsWith('gpu') ? 'no CUDA' : 'not installed');
  });
  await expect(failing).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(
      '@tensorflow/tfjs-node-gpu: no CUDA; @tensorflow/tfjs-node: not installed',
    ),
  });
});

test('a program runs on the tensorflow engine', async (context) => {
  const engine = await openTensorflowEngine().catch((error: Error) => error);
  if (engine instanceof Error) context.skip(engine.message);
  else await descends(engine);
});
