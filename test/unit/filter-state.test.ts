import * as tf from '@tensorflow/tfjs-core';
import { afterAll, expect, test } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Engine, Program } from '../../src-main/engine/engine.ts';
import { lower } from '../../src-main/engine/lower/lower.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { arrange, restore } from '../../src-main/engine/run/arrange.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';

const engines = [await openEngine('cpu'), await openReferenceEngine()];
afterAll(() => Promise.all(engines.map((engine) => engine.dispose())));

const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const filters = {
  wide: float(1, 1, 16, 48),
  window: float(3, 3, 48, 32),
  narrow: float(1, 1, 32, 16),
  partial: float(1, 1, 16, 20),
};

/** Momentum descent of four convolutions in a row, one of them with a stride, one with channels that fill no block. */
const descent: Program = {
  state: {
    ...filters,
    ...Object.fromEntries(Object.entries(filters).map(([name, spec]) => [`velocity/${name}`, spec])),
  },
  batch: { x: float(2, 8, 8, 16) },
  step(state, { x }) {
    const names = Object.keys(filters) as (keyof typeof filters)[];
    const measure = (...given: tf.Tensor[]): tf.Scalar => {
      const [wide, window, narrow, partial] = given as tf.Tensor4D[];
      const first = tf.relu(tf.conv2d(x as tf.Tensor4D, wide, 1, 'same'));
      const second = tf.relu(tf.conv2d(first, window, 2, 'same'));
      const third = tf.conv2d(tf.conv2d(second, narrow, 1, 'same'), partial, 1, 'same');
      // A penalty needs the values in the program's order.
      return tf.add(tf.mean(tf.square(third)), tf.mean(tf.square(tf.slice(window, [0, 1], [2, 1]))));
    };
    const { value, grads } = tf.valueAndGrads(measure)(names.map((name) => state[name]));
    const next = names.flatMap((name, at) => {
      const velocity = tf.add(tf.mul(state[`velocity/${name}`], 0.9), grads[at]);
      const moved = tf.sub(state[name], tf.mul(velocity, 0.01));
      return [
        [name, moved],
        [`velocity/${name}`, velocity],
      ] as const;
    });
    return { state: Object.fromEntries(next), outputs: { loss: value } };
  },
};

const values = (length: number, factor: number) =>
  Float32Array.from({ length }, (_, at) => Math.sin(factor * (at + 1)) / 4);
const sizeOf = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1);

async function threeSteps(engine: Engine): Promise<Arrays> {
  const executable = await engine.compile(descent);
  const specs = Object.entries(descent.state);
  await executable.load(
    Object.fromEntries(
      specs.map(([name, { shape }], at) => [
        name,
        values(sizeOf(shape), name.startsWith('velocity/') ? 0 : 1.3 + at),
      ]),
    ),
  );
  for (let step = 0; step < 3; step++) await executable.run({ x: values(2 * 8 * 8 * 16, 0.7 + step) });
  return executable.read();
}

test('filters and their momentum are the program’s own values after steps in blocks', async () => {
  const [got, want] = [await threeSteps(engines[0]), await threeSteps(engines[1])];
  for (const [name, expected] of Object.entries(want)) {
    const largest = Math.max(...Array.from(expected, Math.abs));
    expect(largest, name).toBeGreaterThan(0);
    for (const [at, value] of expected.entries())
      expect(Math.abs(got[name][at] - value), `${name}[${at}]`).toBeLessThan(1e-5 * largest);
  }
});

test('state that a program does not have cannot be read', async () => {
  const executable = await engines[0].compile(descent);
  await expect(executable.read(['slow'])).rejects.toThrow('no state tensor named «slow»');
  await executable.dispose();
});

test('filters of whole blocks stay in blocks from step to step, with what is combined with them; others do not', () => {
  const { state, nextState } = lower(trace(descent), { provider: 'cpu', layout: 'blocked', block: 16 });
  const arranged = (ports: typeof state) =>
    ports.filter(({ arrangement }) => arrangement).map(({ name }) => name);
  const whole = ['wide', 'window', 'narrow'].flatMap((name) => [name, `velocity/${name}`]);
  expect(arranged(state).sort()).toEqual([...whole].sort());
  expect(arranged(nextState).sort()).toEqual([...whole].sort());
});

test('a value’s arrangement and the way back', () => {
  const port = { name: 'w', port: 'w', ...float(6), arrangement: { split: [1, 2, 3], order: [2, 0, 1] } };
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  arrange(values, port, new Float32Array(8));
  expect([...values]).toEqual([1, 4, 2, 5, 3, 6]);
  expect([...restore(values, port)]).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a large parameter is written over once everything that reads it has done so', async () => {
  const side = 512;
  const program: Program = {
    state: { p: float(side, side), q: float(side, side) },
    batch: { x: float(side, side) },
    // q's next value takes p as it is, and nothing of p's next value follows from it.
    step({ p, q }, { x }) {
      const taken = tf.matMul(p as tf.Tensor2D, x as tf.Tensor2D);
      return { state: { p: tf.sub(p, tf.mul(p, x)), q: tf.add(q, taken) }, outputs: {} };
    },
  };
  const { nextState } = lower(trace(program), { provider: 'cpu', layout: 'blocked', block: 16 });
  expect(nextState.map(({ name, inPlace }) => [name, inPlace])).toEqual([
    ['p', true],
    ['q', true],
  ]);
  const values = (at: number) =>
    Float32Array.from({ length: side * side }, (_, index) => ((index * at) % 7) / 70);
  const [got, want] = await Promise.all(
    engines.map(async (engine) => {
      const executable = await engine.compile(program);
      await executable.load({ p: values(3), q: values(5) });
      for (let step = 0; step < 2; step++) await executable.run({ x: values(2) });
      const read = await executable.read();
      await executable.dispose();
      return read;
    }),
  );
  for (const name of ['p', 'q'])
    expect(
      Math.max(...got[name].map((value, at) => Math.abs(value - want[name][at])).slice(0, 4096)),
      name,
    ).toBeLessThan(1e-4);
});
