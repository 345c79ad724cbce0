import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Engine, Program, TensorSpec } from '../../src-main/engine/engine.ts';
import { learningRateAt } from '../../src-main/transfer/learning-rate.ts';
import { methodNamed } from '../../src-main/transfer/methods/index.ts';
import { nesterovStep } from '../../src-main/transfer/optimizer.ts';
import recorded from '../fixtures/losses.json' with { type: 'json' };

let engine: Engine;
beforeAll(async () => {
  engine = await openReferenceEngine();
});

const flat = (rows: number[][]) => Float32Array.from(rows.flat());
const shapeOf = (rows: number[][]) => [rows.length, rows[0].length];

function agrees(got: ArrayLike<number>, want: number[]): void {
  const largest = Math.max(...want.map(Math.abs));
  expect(got).toHaveLength(want.length);
  for (const [i, value] of want.entries()) expect(Math.abs(got[i] - value) / largest).toBeLessThan(1e-5);
}

test('co-tuning’s loss and its gradients are those recorded from PyTorch', async () => {
  const { inputs, value, grads } = recorded.cotuning_total;
  const { R: relationship, target, source, labels, lam: tradeOff } = inputs;
  const classes = target[0].length;
  const program: Program = {
    state: {
      target: { shape: shapeOf(target), dtype: 'float32' },
      source: { shape: shapeOf(source), dtype: 'float32' },
    },
    batch: {
      relationship: { shape: shapeOf(relationship), dtype: 'float32' },
      labels: { shape: [labels.length], dtype: 'int32' },
    },
    step(state, fed) {
      const targets = tf.oneHot(fed.labels as tf.Tensor1D, classes, 1, 0, 'float32') as tf.Tensor2D;
      const loss = (targetLogits: tf.Tensor, sourceLogits: tf.Tensor) =>
        methodNamed('cotuning').loss({
          targetLogits: targetLogits as tf.Tensor2D,
          sourceLogits: sourceLogits as tf.Tensor2D,
          targets,
          relationship: fed.relationship as tf.Tensor2D,
          tradeOff,
        }).total;
      const { value: total, grads: found } = tf.valueAndGrads(loss)([state.target, state.source]);
      return { state: {}, outputs: { total, target: found[0], source: found[1] } };
    },
  };
  const executable = await engine.compile(program);
  await executable.load({ target: flat(target), source: flat(source) });
  const outputs = await executable.run({
    relationship: flat(relationship),
    labels: Int32Array.from(labels),
  });
  agrees(outputs.total, [value]);
  agrees(outputs.target, grads.target.flat());
  agrees(outputs.source, grads.source.flat());
});

test('fine-tuning’s loss and its gradient are those recorded from PyTorch', async () => {
  const { inputs, value, grads } = recorded.cross_entropy;
  const shape = shapeOf(inputs.z);
  const executable = await engine.compile({
    state: { z: { shape, dtype: 'float32' } },
    batch: { labels: { shape: [inputs.labels.length], dtype: 'int32' } },
    step(state, fed) {
      const targets = tf.oneHot(fed.labels as tf.Tensor1D, shape[1], 1, 0, 'float32') as tf.Tensor2D;
      const loss = (z: tf.Tensor) =>
        methodNamed('finetune').loss({
          targetLogits: z as tf.Tensor2D,
          targets,
          sourceLogits: null,
          relationship: null,
          tradeOff: 0,
        }).total;
      const { value: total, grad } = tf.valueAndGrad(loss)(state.z);
      return { state: {}, outputs: { total, z: grad } };
    },
  });
  await executable.load({ z: flat(inputs.z) });
  const outputs = await executable.run({ labels: Int32Array.from(inputs.labels) });
  agrees(outputs.total, [value]);
  agrees(outputs.z, grads.z.flat());
});

test('five optimizer steps give the parameters and the momentum recorded from PyTorch', async () => {
  const {
    p0,
    gradients_per_step: gradients,
    lr,
    momentum,
    weight_decay: decay,
    steps,
  } = recorded.sgd_nesterov;
  const spec: TensorSpec = { shape: [p0.length], dtype: 'float32' };
  const executable = await engine.compile({
    state: { p: spec, v: spec },
    batch: { gradient: spec, rate: { shape: [], dtype: 'float32' } },
    step(state, fed) {
      const after = nesterovStep(state.p, fed.gradient, state.v, fed.rate, momentum, decay);
      return { state: { p: after.parameter, v: after.velocity }, outputs: {} };
    },
  });
  await executable.load({ p: Float32Array.from(p0), v: new Float32Array(p0.length) });
  for (const [t, gradient] of gradients.entries()) {
    await executable.run({ gradient: Float32Array.from(gradient), rate: Float32Array.of(lr) });
    const { p, v } = await executable.read();
    agrees(p, steps[t].p);
    agrees(v, steps[t].buffer);
  }
});

test('the learning rate decays at its steps as PyTorch’s MultiStepLR does', () => {
  const { base_lr: learningRate, lr } = recorded.multistep;
  for (const [step, want] of lr.entries())
    expect(learningRateAt({ learningRate, decayAt: [8, 14], decayFactor: 0.1 }, step)).toBeCloseTo(want, 12);
});
