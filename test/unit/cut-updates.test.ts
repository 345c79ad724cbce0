import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Program } from '../../src-main/engine/engine.ts';
import { cutUpdates } from '../../src-main/engine/lower/cut-updates.ts';
import { lower } from '../../src-main/engine/lower/lower.ts';
import { after } from '../../src-main/engine/ops/after.ts';
import { sumOfSquares } from '../../src-main/engine/ops/sum-of-squares.ts';
import { cpuSessionOptions, hostExecutable } from '../../src-main/engine/run/host.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';

const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const target = { provider: 'cpu', layout: 'blocked', block: 8 } as const;
const [rows, columns, batch] = [1028, 512, 3];

/**
 * Momentum descent of two layers. The first one is a matrix under another shape, whose gradient is measured and pulled to an anchor;
 * what `looked` learns is no product: rows that were picked.
 */
const descent: Program = {
  state: {
    first: float(2, rows / 2, columns),
    momentum: float(2, rows / 2, columns),
    tied: float(columns, rows),
    looked: float(rows, columns),
    bias: float(columns),
    anchor: float(2, rows / 2, columns),
  },
  batch: { x: float(batch, rows), rate: float() },
  step({ first, momentum, tied, looked, bias, anchor }, { x, rate }) {
    const loss = (w: tf.Tensor, t: tf.Tensor, l: tf.Tensor): tf.Scalar => {
      const matrix = tf.reshape(w, [rows, columns]) as tf.Tensor2D;
      const hidden = tf.add(tf.matMul(x as tf.Tensor2D, matrix), bias);
      const back = tf.matMul(hidden as tf.Tensor2D, t as tf.Tensor2D);
      const picked = tf.gather(l, tf.tensor1d([3, 1027, 3], 'int32'));
      return tf.add(tf.mean(tf.square(tf.sub(back, x))), tf.mean(tf.square(tf.add(picked, hidden))));
    };
    const { value, grads } = tf.valueAndGrads(loss)([first, tied, looked]);
    const square = sumOfSquares(grads[0]);
    const pull = tf.add(grads[0], tf.mul(tf.sub(first, anchor), 0.1));
    const velocity = tf.add(tf.mul(momentum, 0.9), pull);
    const step = tf.mul(velocity, after(rate, square));
    return {
      state: {
        first: tf.sub(first, step),
        momentum: velocity,
        tied: tf.sub(tied, tf.mul(grads[1], rate)),
        looked: tf.sub(looked, tf.mul(grads[2], rate)),
      },
      outputs: { loss: value },
      diagnosis: { square },
    };
  },
};

const values = (shape: readonly number[], factor: number) =>
  Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, at) => Math.sin(factor * (at % 9973)) / 8,
  );
const initial = () =>
  Object.fromEntries(
    Object.entries(descent.state).map(([name, { shape }], at) => [name, values(shape, at + 1.3)]),
  );
const fed = (step: number) => ({ x: values([batch, rows], 0.7 + step), rate: Float32Array.of(0.05) });

async function twoSteps(executable: {
  load(state: Arrays): Promise<void>;
  run(batch: Arrays): Promise<Arrays>;
  read(): Promise<Arrays>;
  dispose(): Promise<void>;
}): Promise<Arrays> {
  await executable.load(initial());
  const outputs = [await executable.run(fed(0)), await executable.run(fed(1))];
  const state = await executable.read();
  await executable.dispose();
  return { ...state, loss: outputs[1].loss, square: outputs[1].square };
}

const wanted = openReferenceEngine().then(async (engine) => twoSteps(await engine.compile(descent)));

test.each([
  ['large enough to be written over', 2 ** 19],
  ['small, and copied to where they belong', 2 ** 16],
])('matrices updated in pieces that are %s are those updated whole', async (_, piece) => {
  const graph = lower(
    cutUpdates(trace(descent), () => [], { large: 2 ** 16, piece }),
    target,
  );
  const cut = graph.nextState.filter(({ name }) => name.includes(' from row '));
  expect(new Set(graph.parts.map(({ of }) => of))).toEqual(
    new Set(['first', 'momentum', 'tied', 'looked', 'anchor']),
  );
  expect(cut.length).toBeGreaterThan(4);
  expect(cut.every(({ inPlace }) => inPlace)).toBe(piece === 2 ** 19);
  const got = await twoSteps(await hostExecutable(graph, cpuSessionOptions(graph, { threads: 0 })));
  for (const [name, expected] of Object.entries(await wanted) as [string, Float32Array][]) {
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // Sums of about a thousand products, in another order.
    expect(
      Math.max(...expected.map((value, at) => Math.abs(value - got[name][at])).slice(-5000)),
      name,
    ).toBeLessThan(2e-5 * largest);
  }
});

test('no part of a large gradient is as large as its matrix', () => {
  const { nodes } = cutUpdates(trace(descent), () => [], { large: 2 ** 16, piece: 2 ** 16 });
  const products = nodes.filter(({ kernel, attrs }) => kernel === 'BatchMatMul' && attrs.transposeA);
  const sizes = products.map(({ outputs: [{ shape }] }) => shape.reduce((a, b) => a * b, 1));
  expect(sizes.length).toBeGreaterThan(8);
  expect(Math.max(...sizes)).toBeLessThan(2 ** 17);
});

test('a gradient that something else takes whole is made once', () => {
  const side = 256;
  const program: Program = {
    state: { w: float(side, side) },
    batch: { x: float(2, side) },
    step({ w }, { x }) {
      const { value, grad } = tf.valueAndGrad((matrix: tf.Tensor) =>
        tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, matrix as tf.Tensor2D))),
      )(w);
      return { state: { w: tf.sub(w, grad) }, outputs: { loss: value, largest: tf.max(grad) } };
    },
  };
  const { nodes } = cutUpdates(trace(program), () => [], { large: 2 ** 16, piece: 2 ** 14 });
  expect(nodes.filter(({ kernel, attrs }) => kernel === 'BatchMatMul' && attrs.transposeA)).toHaveLength(1);
  expect(nodes.filter(({ kernel }) => kernel === 'Slice')).toHaveLength(4);
});
