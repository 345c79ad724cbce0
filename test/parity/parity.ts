/** Runs one tf.js expression on two engines, forward and gradient, over random inputs, and compares the numbers. */
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Engine, Program, Specs, TensorSpec } from '../../src-main/engine/engine.ts';

/** An expression over float and int tensors; gradients are taken with respect to the float ones. */
export interface Expression {
  inputs: Record<string, TensorSpec & { values?: number[]; positive?: boolean }>;
  // biome-ignore lint/suspicious/noExplicitAny: cases pass tensors of many ranks to tf.js's rank-typed ops.
  f: (inputs: Record<string, any>) => tf.Tensor;
  /** False where tf.js defines no gradient. */
  gradient?: boolean;
  tolerance?: number;
}

/** A deterministic source of test shapes and values (mulberry32). */
export function random(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    integer: (from: number, to: number) => from + Math.floor(next() * (to - from + 1)),
    pick: <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)],
  };
}

export const float = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });

/** The expression, and its gradients, as a program without state. */
export function programOf({ inputs, f, gradient = true }: Expression): Program {
  const batch: Specs = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
  const differentiable = Object.keys(batch).filter((name) => batch[name].dtype === 'float32');
  return {
    state: {},
    batch,
    step(_, fed) {
      const value = f(fed);
      if (!gradient) return { state: {}, outputs: { value: tf.cast(value, 'float32') } };
      // Weighting by fixed, unequal numbers makes every element of the incoming gradient matter.
      const weights = tf.tensor(
        Float32Array.from({ length: value.size }, (_, index) => Math.cos(index * 0.7) + 0.1),
        value.shape,
      );
      const total = (...xs: tf.Tensor[]) =>
        tf.sum(
          tf.mul(
            weights,
            f({ ...fed, ...Object.fromEntries(differentiable.map((name, i) => [name, xs[i]])) }),
          ),
        ) as tf.Scalar;
      const grads = tf.grads(total)(differentiable.map((name) => fed[name]));
      return {
        state: {},
        outputs: { value, ...Object.fromEntries(differentiable.map((name, i) => [`d_${name}`, grads[i]])) },
      };
    },
  };
}

function valuesFor(inputs: Expression['inputs'], seed: number): Arrays {
  const { next, integer } = random(seed);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype, values, positive }]) => {
      const length = shape.reduce((product, extent) => product * extent, 1);
      if (dtype === 'int32')
        return [name, Int32Array.from(values ?? Array.from({ length }, () => integer(0, 3)))];
      const draw = () => (positive ? 0.2 + 2 * next() : 4 * next() - 2);
      return [name, Float32Array.from(values ?? Array.from({ length }, draw))];
    }),
  );
}

let reference: Promise<Engine> | undefined;

/** Expects `engine` to give the numbers of tf.js's CPU backend within `tolerance`, relative to the largest magnitude of each result. */
export async function expectParity(engine: Engine, expression: Expression, seed: number): Promise<void> {
  reference ??= openReferenceEngine();
  const program = programOf(expression);
  const batch = valuesFor(expression.inputs, seed);
  const results = async (on: Engine) => {
    const executable = await on.compile(program);
    const outputs = await executable.run(batch);
    await executable.dispose();
    return outputs;
  };
  const expected = await results(await reference);
  const actual = await results(engine);
  for (const [name, values] of Object.entries(expected)) {
    const scale = Math.max(1, ...values.map(Math.abs));
    let worst = 0;
    for (const [index, value] of values.entries())
      worst = Math.max(worst, distance(value, actual[name][index]));
    const where = `${name} of ${JSON.stringify(expression.inputs)}`;
    expect(actual[name].length, where).toBe(values.length);
    expect(worst / scale, where).toBeLessThan(expression.tolerance ?? 2e-5);
  }
}

/** |a − b|, where equal infinities and two NaNs agree. */
function distance(a: number, b: number): number {
  if (Object.is(a, b) || a === b) return 0;
  const difference = Math.abs(a - b);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}
