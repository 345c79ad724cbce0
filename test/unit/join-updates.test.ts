import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { batchNormTraining } from '../../src-main/backbones/batch-norm.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Engine, Program, Tensors } from '../../src-main/engine/engine.ts';
import { joinUpdates } from '../../src-main/engine/lower/join-updates.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';
import { random } from '../parity/parity.ts';

const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const layers = [1, 2, 3];
const width = (layer: number) => 8 * layer;
const pixels = [2, 48, 48];

/**
 * Momentum descent of three convolutions, each with a bias behind its batch norm. Running means decay, that of the third layer faster
 * than the others.
 */
const descent: Program = {
  state: Object.fromEntries(
    layers.flatMap((layer) => [
      [`filter${layer}`, float(1, 1, width(Math.max(1, layer - 1)), width(layer))],
      ...['scale', 'offset', 'bias', 'velocity', 'mean'].map(
        (name) => [`${name}${layer}`, float(width(layer))] as const,
      ),
    ]),
  ),
  batch: { x: float(...pixels, width(1)), rate: float() },
  step(state, { x, rate }) {
    const next: Tensors = {};
    const trained = ['filter', 'scale', 'offset', 'bias'].flatMap((name) =>
      layers.map((at) => `${name}${at}`),
    );
    const loss = (...given: tf.Tensor[]): tf.Scalar => {
      const of = Object.fromEntries(trained.map((name, index) => [name, given[index]]));
      let image = x as tf.Tensor4D;
      for (const at of layers) {
        image = tf.conv2d(image, of[`filter${at}`] as tf.Tensor4D, 1, 'same');
        const [scale, offset] = [of[`scale${at}`], of[`offset${at}`]] as tf.Tensor1D[];
        const { y, mean } = batchNormTraining(image, scale, offset, 1e-5, tf.zeros([width(at)]));
        const decayed = tf.mul(state[`mean${at}`], at === 3 ? 0.5 : 0.9);
        next[`mean${at}`] = tf.keep(tf.add(decayed, tf.mul(mean, 0.1)));
        image = tf.add(tf.relu(y), of[`bias${at}`]);
      }
      return tf.mean(tf.square(image));
    };
    const { value, grads } = tf.valueAndGrads(loss)(trained.map((name) => state[name]));
    for (const [index, name] of trained.entries()) {
      const velocity = name.replace('scale', 'velocity');
      if (velocity === name) next[name] = tf.sub(state[name], tf.mul(grads[index], rate));
      else {
        next[velocity] = tf.add(tf.mul(state[velocity], 0.9), grads[index]);
        next[name] = tf.sub(state[name], tf.mul(next[velocity], rate));
      }
    }
    return { state: next, outputs: { loss: value } };
  },
};

/** What makes next values of state, the same for those of one node. */
function makers(...names: string[]): unknown[] {
  const { state } = joinUpdates(trace(descent));
  return names.map((name) => {
    const value = state.get(name);
    return value?.kind === 'result' ? value.node : undefined;
  });
}

test('vectors whose next values come about in the same way get them from one node', () => {
  for (const name of ['scale', 'velocity', 'offset']) {
    const [first, ...others] = makers(...layers.map((layer) => `${name}${layer}`));
    expect(first).toMatchObject({ kernel: 'SplitV' });
    for (const other of others) expect(other).toBe(first);
  }
});

test('one that comes about in another way gets its own', () => {
  const [first, second, third] = makers('mean1', 'mean2', 'mean3');
  expect(second).toBe(first);
  expect(first).toMatchObject({ kernel: 'SplitV' });
  expect(third).toMatchObject({ kernel: 'Add' });
});

test('a gradient that nothing but its update takes does not wait for others', () => {
  for (const maker of makers('bias1', 'bias2')) expect(maker).toMatchObject({ kernel: 'Sub' });
});

async function threeSteps(engine: Engine): Promise<Arrays> {
  const executable = await engine.compile(descent);
  const { next } = random(3);
  const drawn = ({ shape }: { shape: readonly number[] }) =>
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * next() - 1);
  await executable.load(
    Object.fromEntries(Object.entries(descent.state).map(([name, spec]) => [name, drawn(spec)])),
  );
  const batch = { x: drawn(descent.batch.x), rate: Float32Array.of(0.1) };
  for (let step = 0; step < 3; step++) await executable.run(batch);
  const state = await executable.read();
  await executable.dispose();
  await engine.dispose();
  return state;
}

test('three steps give the state that every update by itself gives', async () => {
  const [joined, wanted] = [
    await threeSteps(await openEngine('cpu')),
    await threeSteps(await openReferenceEngine()),
  ];
  // Sums of thousands of products in single precision, in another order.
  for (const [name, values] of Object.entries(wanted))
    for (const [at, value] of values.entries())
      expect(joined[name][at], `${name} ${at}`).toBeCloseTo(value, 4);
});
