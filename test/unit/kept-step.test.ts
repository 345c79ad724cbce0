import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, test } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Compiled, Engine, Program } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { fingerprint } from '../../src-main/engine/trace/fingerprint.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';
import { openGpu } from '../parity/gpu.ts';

interface Variant {
  rows?: number;
  momentum?: number;
  /** Upper bound of the activation. */
  bound?: number;
  loss?: 'square' | 'abs';
}

/** Momentum descent of a matrix product's distance from one, with a state that is replaced whole and one that stays. */
function descent({ rows = 3, momentum = 0.9, bound = 6, loss = 'square' }: Variant = {}): Program {
  const matrix = { shape: [2, 2], dtype: 'float32' as const };
  return {
    state: { w: matrix, velocity: matrix, last: { shape: [rows, 2], dtype: 'float32' }, target: matrix },
    batch: { x: { shape: [rows, 2], dtype: 'float32' } },
    step(state, { x }) {
      const measure = (w: tf.Tensor): tf.Scalar => {
        const y = tf.clipByValue(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), -1, bound);
        const rest = tf.matMul(tf.sub(y, tf.mul(state.last, 0.1)), state.target as tf.Tensor2D);
        return tf.sum(loss === 'square' ? tf.square(rest) : tf.abs(rest));
      };
      const { value, grad } = tf.valueAndGrad(measure)(state.w);
      const velocity = tf.add(tf.mul(state.velocity, momentum), grad);
      const w = tf.sub(state.w, tf.mul(velocity, 0.01));
      return { state: { w, velocity, last: tf.matMul(x as tf.Tensor2D, w) }, outputs: { loss: value } };
    },
  };
}

const filled = (length: number, factor: number) =>
  Float32Array.from({ length }, (_, at) => Math.sin(factor * (at + 1)));

/** Three steps from a state of its own; the losses and the state after them. */
async function steps(executable: Compiled, { batch }: Program, seed: number): Promise<Arrays> {
  const count = 2 * batch.x.shape[0];
  await executable.load({
    w: filled(4, seed),
    velocity: new Float32Array(4),
    last: filled(count, 2 * seed),
    target: filled(4, 3),
  });
  const losses: number[] = [];
  for (let step = 0; step < 3; step++)
    losses.push((await executable.run({ x: filled(count, seed + step) })).loss[0]);
  return { ...(await executable.read()), losses: Float32Array.from(losses) };
}

async function compileAndRun(engine: Engine, program: Program, seed: number) {
  const executable = await engine.compile(program, { keep: true });
  const results = await steps(executable, program, seed);
  await executable.dispose();
  return { results, seconds: executable.compileSeconds };
}

async function alone(open: () => Promise<Engine>, program: Program, seed: number): Promise<Arrays> {
  const engine = await open();
  const { results } = await compileAndRun(engine, program, seed);
  await engine.dispose();
  return results;
}

const gpu = await openGpu();
afterAll(async () => {
  if (typeof gpu !== 'string') await gpu.dispose();
});

describe.each([
  ['cpu', () => openEngine('cpu')],
  ['cpu with mixed precision', () => openEngine('cpu', { precision: 'mixed' })],
  ['webgpu', () => openEngine('webgpu')],
] as const)('the %s engine', (name, open) => {
  test.beforeEach((context) => {
    if (name === 'webgpu' && typeof gpu === 'string') context.skip(gpu);
  });

  test('keeps a compiled program for the same one, which starts from its own state to the same numbers', async () => {
    const engine = await open();
    const first = await compileAndRun(engine, descent(), 1);
    expect(first.seconds.lower).toBeGreaterThan(0);
    expect(first.seconds.session).toBeGreaterThan(0);
    for (const seed of [2, 1, 3]) {
      const again = await compileAndRun(engine, descent(), seed);
      expect(again.seconds).toMatchObject({ lower: 0, session: 0 });
      expect(again.results).toEqual(await alone(open, descent(), seed));
    }
    await engine.dispose();
  });

  test.each<Variant>([{ rows: 4 }, { momentum: 0.8 }, { bound: 0.5 }, { loss: 'abs' }])(
    'compiles another program anew: %j',
    async (variant) => {
      const engine = await open();
      await compileAndRun(engine, descent(), 1);
      const other = await compileAndRun(engine, descent(variant), 1);
      expect(other.seconds.lower).toBeGreaterThan(0);
      expect(other.results).toEqual(await alone(open, descent(variant), 1));
      // The first one has made room.
      expect((await compileAndRun(engine, descent(), 1)).seconds.lower).toBeGreaterThan(0);
      await engine.dispose();
    },
  );

  test('hands a kept program out without the state of before, and to one at a time', async () => {
    const engine = await open();
    const first = await engine.compile(descent(), { keep: true });
    await steps(first, descent(), 1);
    await first.dispose();
    const [second, third] = [
      await engine.compile(descent(), { keep: true }),
      await engine.compile(descent(), { keep: true }),
    ];
    expect([second.compileSeconds.session > 0, third.compileSeconds.session > 0]).toEqual([false, true]);
    await expect(second.run({ x: filled(6, 1) })).rejects.toThrow('State not loaded: w');
    const expected = await alone(open, descent(), 2);
    await first.dispose();
    expect(await steps(second, descent(), 2)).toEqual(expected);
    expect(await steps(third, descent(), 2)).toEqual(expected);
    await engine.dispose();
  });

  test('keeps nothing unasked, and no program with constants', async () => {
    const engine = await open();
    for (const options of [{}, { keep: true, constants: { target: filled(4, 3) } }])
      for (let time = 0; time < 2; time++) {
        const executable = await engine.compile(descent(), options);
        expect(executable.compileSeconds.session).toBeGreaterThan(0);
        await executable.dispose();
      }
    await engine.dispose();
  });
});

test('an engine that runs op by op takes the same requests, and leaves no tensor behind', async () => {
  const engine = await openReferenceEngine();
  const first = await compileAndRun(engine, descent(), 1);
  const tensors = tf.memory().numTensors;
  await compileAndRun(engine, descent({ rows: 4 }), 2);
  expect((await compileAndRun(engine, descent(), 1)).results).toEqual(first.results);
  expect(tf.memory().numTensors).toBe(tensors);
});

test('a fingerprint is the same for every trace of a program, and another for a program that differs in anything', () => {
  const of = (variant: Variant) => fingerprint(trace(descent(variant)));
  expect(of({})).toBe(of({}));
  const variants: Variant[] = [
    {},
    { rows: 4 },
    { momentum: 0.8 },
    { bound: 5 },
    { bound: Number.POSITIVE_INFINITY },
    { loss: 'abs' },
  ];
  expect(new Set(variants.map(of)).size).toBe(variants.length);
  const { step, ...specs } = descent();
  const swapped: Program = {
    ...specs,
    step: (state, batch) => step({ ...state, w: state.target, target: state.w }, batch),
  };
  expect(fingerprint(trace(swapped))).not.toBe(of({}));
});

test('a fingerprint tells attributes apart that JSON writes alike', () => {
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, null];
  const of = (value: unknown) => {
    const node = { kernel: 'PadV2', inputs: {}, attrs: { value }, outputs: [] };
    return fingerprint({
      inputs: [],
      nodes: [node],
      state: new Map(),
      outputs: new Map(),
      diagnosis: new Map(),
    });
  };
  expect(new Set(values.map(of)).size).toBe(values.length);
  expect(() => of(() => 1)).toThrow('function');
});
