/** One term of a loss on given values, by the tf.js reference engine where no other is named: its value and its gradients. */
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Engine, Specs, Tensors } from '../../src-main/engine/engine.ts';
import type { Held, StepView } from '../../src-main/transfer/term.ts';
import recorded from '../fixtures/regularizers.json' with { type: 'json' };

export { recorded };

/** What a term sees and holds in a step, as far as a test gives it. */
export const viewOf = (given: Partial<StepView>): StepView => given as StepView;
export const heldOf = (given: Partial<Held> = {}): Held => ({
  state: {},
  fed: {},
  observed: {},
  ...given,
});

type Nested = number | readonly Nested[];

const flat = (values: Nested): Float32Array => Float32Array.from(numbersOf(values));
const numbersOf = (values: Nested): number[] =>
  typeof values === 'number' ? [values] : values.flatMap(numbersOf);
function shapeOf(values: Nested): number[] {
  return Array.isArray(values) ? [values.length, ...shapeOf(values[0])] : [];
}

export const oneHot = (labels: readonly number[], classes: number): number[][] =>
  labels.map((label) => Array.from({ length: classes }, (_, k) => Number(k === label)));

/** `loss` of named values, and its gradients with respect to those in `by`. */
export async function valueAndGradients(
  values: Record<string, Nested>,
  by: readonly string[],
  loss: (values: Tensors) => tf.Scalar,
  open: () => Promise<Engine> = openReferenceEngine,
): Promise<Arrays> {
  return outputsOf(
    values,
    (held) => {
      const { value, grads } = tf.valueAndGrads((...given: tf.Tensor[]) =>
        loss({ ...held, ...Object.fromEntries(by.map((name, index) => [name, given[index]])) }),
      )(by.map((name) => held[name]));
      return { value, ...Object.fromEntries(by.map((name, index) => [name, grads[index]])) };
    },
    open,
  );
}

/** What a function makes of named values. */
export async function outputsOf(
  values: Record<string, Nested>,
  of: (values: Tensors) => Tensors,
  open: () => Promise<Engine> = openReferenceEngine,
): Promise<Arrays> {
  const engine = await open();
  const state: Specs = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { shape: shapeOf(value), dtype: 'float32' }]),
  );
  const executable = await engine.compile({
    state,
    batch: {},
    step: (held) => ({ state: {}, outputs: of(held) }),
  });
  await executable.load(
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, flat(value)])),
  );
  return executable.run({});
}

/** Agreement within `tolerance` of the largest entry: by default what float32 arithmetic keeps of float64's result. */
export function agrees(got: ArrayLike<number>, want: Nested, tolerance = 1e-5): void {
  const wanted = flat(want);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs(got[i] - value) / largest).toBeLessThan(tolerance);
}
