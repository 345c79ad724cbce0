import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { termsOf } from '../../src-main/transfer/catalog.ts';
import { enqueue, enqueuing } from '../../src-main/transfer/class-queue.ts';
import {
  categoricalContrast,
  contrastiveCrossEntropy,
  unit,
  withOne,
} from '../../src-main/transfer/contrast.ts';
import { crossEntropy } from '../../src-main/transfer/cross-entropy.ts';
import type { After } from '../../src-main/transfer/term.ts';
import { agrees, heldOf, oneHot, recorded, valueAndGradients, viewOf } from './terms.ts';

const flat = (queue: number[][][]) => queue.flat();
const two = (tensor: tf.Tensor) => tensor as tf.Tensor2D;
/** Unit rows of the classifier, weights [classes, features] with their bias behind. */
const classifierOf = (weights: tf.Tensor, bias: tf.Tensor) =>
  unit(two(tf.concat([weights, tf.reshape(bias, [-1, 1])], 1)));

test('the contrast of projections is that recorded from PyTorch', async () => {
  const { inputs, value, grads } = recorded.bituning_ccl;
  const values = {
    z: inputs.z,
    keys: inputs.key_z,
    queue: flat(inputs.queue_z),
    labels: oneHot(inputs.labels, inputs.queue_z.length),
  };
  const found = await valueAndGradients(values, ['z'], ({ z, keys, queue, labels }) =>
    categoricalContrast(two(z), two(keys), two(queue), two(labels), inputs.tau),
  );
  agrees(found.value, value);
  agrees(found.z, grads.z);
});

test.each(['bituning_cce', 'bituning_cce_after_enqueue'] as const)(
  'the contrast of classifier and features is that recorded from PyTorch: %s',
  async (name) => {
    const { inputs, value, grads } = recorded[name];
    const values = {
      h: inputs.h,
      W: inputs.W,
      bias: inputs.bias,
      queue: flat(inputs.queue_h),
      labels: oneHot(inputs.labels, inputs.W.length),
    };
    const found = await valueAndGradients(values, ['h', 'W', 'bias'], ({ h, W, bias, queue, labels }) =>
      contrastiveCrossEntropy(classifierOf(W, bias), withOne(two(h)), two(queue), two(labels), inputs.tau),
    );
    agrees(found.value, value);
    for (const [by, want] of Object.entries(grads)) agrees(found[by], want);
  },
);

test('the whole of Bi-Tuning’s loss and its gradients are those recorded from PyTorch', async () => {
  const { inputs, value, grads } = recorded.bituning_total;
  const [{ term, options }] = termsOf([
    {
      name: 'bi-tuning',
      temperature: inputs.tau,
      tradeOff: inputs.trade_off,
      queue: inputs.queue_h[0].length,
    },
  ]);
  const width = inputs.z[0].length;
  const values = {
    h: inputs.h,
    z: inputs.z,
    W: inputs.W,
    bias: inputs.bias,
    keys: inputs.key_z,
    features: flat(inputs.queue_h),
    projections: flat(inputs.queue_z),
    labels: oneHot(inputs.labels, inputs.W.length),
  };
  const found = await valueAndGradients(values, ['h', 'z', 'W', 'bias'], (given) => {
    const labels = two(given.labels);
    const weights = {
      'target.weight': tf.transpose(given.W),
      'target.bias': given.bias,
      // z is given here and not made of h: an offset alone.
      'projector.weight': tf.zeros([inputs.h[0].length, width]),
      'projector.bias': given.z,
    };
    const held = heldOf({
      state: { features: given.features, projections: given.projections },
      observed: { projections: given.keys },
    });
    const added = term.loss!(viewOf({ pooled: two(given.h), labels, weights }), held, options);
    const logits = two(tf.add(tf.matMul(two(given.h), two(given.W), false, true), given.bias));
    return tf.add(crossEntropy(logits, labels), tf.mul(added.value, added.weight));
  });
  agrees(found.value, value);
  for (const [by, want] of Object.entries(grads)) agrees(found[by], want);
});

/** Queues and pointers after a batch of keys with labels. */
async function after(
  queue: number[][],
  keys: number[][],
  labels: number[],
  pointers: number[],
  length: number,
) {
  const engine = await openEngine('cpu');
  const spec = (rows: number, columns: number) => ({ shape: [rows, columns], dtype: 'float32' as const });
  const classes = pointers.length;
  const executable = await engine.compile({
    state: { queue: spec(queue.length, queue[0].length), pointers: { shape: [classes], dtype: 'float32' } },
    batch: { keys: spec(keys.length, keys[0].length), labels: spec(keys.length, classes) },
    step(state, batch) {
      const entering = enqueuing(two(batch.labels), state.pointers as tf.Tensor1D, length);
      const next = enqueue(two(state.queue), two(batch.keys), entering.rows);
      return { state: { queue: next, pointers: entering.pointers }, outputs: {} };
    },
  });
  await executable.load({
    queue: Float32Array.from(queue.flat()),
    pointers: Float32Array.from(pointers),
  });
  await executable.run({
    keys: Float32Array.from(keys.flat()),
    labels: Float32Array.from(oneHot(labels, classes).flat()),
  });
  const found = await executable.read();
  await engine.dispose();
  return found;
}

test('keys enter the queues as recorded from PyTorch', async () => {
  const { inputs, queue_h_after, queue_z_after, ptr_after } = recorded.bituning_queue;
  for (const [queue, keys, want] of [
    [inputs.queue_h, inputs.key_h, queue_h_after],
    [inputs.queue_z, inputs.key_z, queue_z_after],
  ] as const) {
    const found = await after(
      flat(queue),
      keys,
      inputs.labels,
      queue.map(() => 0),
      queue[0].length,
    );
    agrees(found.queue, want);
    expect([...found.pointers]).toEqual(ptr_after);
  }
});

test('of more images of a class than its queue has places the last ones stay, and pointers go round', async () => {
  const queue = [[-1], [-2], [-3], [-4]];
  const found = await after(queue, [[1], [2], [3], [4]], [1, 1, 0, 1], [1, 1], 2);
  // Class 1 writes 1 at 1, 2 at 0, 4 at 1; class 0 writes 3 at 1.
  expect([...found.queue]).toEqual([-1, 3, 2, 4]);
  expect([...found.pointers]).toEqual([0, 0]);
});

test('the copy follows the network as recorded from PyTorch', async () => {
  await openReferenceEngine();
  const { m, query, key, after: want } = recorded.bituning_queue.momentum_update;
  tf.setBackend('cpu');
  const [{ term, options }] = termsOf([{ name: 'bi-tuning', momentum: m }]);
  const queue = tf.zeros([2, 1]);
  const held = heldOf({
    state: { 'key/w': tf.tensor1d(key), features: queue, projections: queue },
    observed: {
      features: queue,
      projections: queue,
      rows: tf.tensor1d([0, 1], 'int32'),
      pointers: tf.zeros([2]),
    },
  });
  const next = term.advance!({ weights: { w: tf.tensor1d(query) } } as unknown as After, held, options);
  agrees(next['key/w'].dataSync(), want);
});
