import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { randomOf } from '../../src-main/data/random.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { TensorSpec } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { optimizerOf, scheduleOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { crossEntropy } from '../../src-main/transfer/cross-entropy.ts';
import { withRowsOfOthers } from '../../src-main/transfer/methods/cotuning.ts';
import { agrees, heldOf, oneHot, outputsOf, recorded, valueAndGradients, viewOf } from './terms.ts';

test('co-tuning’s loss and its gradients are those recorded from PyTorch', async () => {
  const { inputs, value, grads } = recorded.cotuning_total;
  const { R: relationship, target, source, labels, lam: tradeOff } = inputs;
  const [{ term, options }] = termsOf([{ name: 'cotuning', tradeOff }]);
  const found = await valueAndGradients(
    { target, source, relationship, labels: oneHot(labels, target[0].length) },
    ['target', 'source'],
    (held) => {
      const view = viewOf({
        labels: held.labels as tf.Tensor2D,
        source: { labels: held.labels as tf.Tensor2D, counts: null },
        targetLogits: held.target as tf.Tensor2D,
        sourceLogits: held.source as tf.Tensor2D,
      });
      const own = heldOf({ state: { relationship: held.relationship } });
      const added = term.loss!(view, own, options);
      const first = crossEntropy(view.targetLogits, view.labels);
      return tf.add(first, tf.mul(added.value, added.weight));
    },
  );
  agrees(found.value, value);
  agrees(found.target, grads.target);
  agrees(found.source, grads.source);
});

test('a warm-up feeds a share of λ that grows to the whole, and without one nothing is fed', async () => {
  const [{ term, options }] = termsOf([{ name: 'cotuning', tradeOff: 2, warmup: 4 }]);
  const shape = { batch: 1, size: 1 };
  const at = (step: number, chosen = options) =>
    term.feeds!.values(shape, undefined!, chosen, undefined!, step).share?.[0];
  expect([0, 1, 3, 4, 1000].map((step) => at(step))).toEqual([0.25, 0.5, 1, 1, 1]);
  const [plain] = termsOf([{ name: 'cotuning' }]);
  expect(term.feeds!.specs(shape, undefined!, plain.options)).toEqual({});
  expect(at(0, plain.options)).toBeUndefined();

  const { weighed } = await outputsOf(
    { sourceLogits: [[0, 0]], relationship: [[1, 0]], labels: [[1]], share: 0.25 },
    (held) => {
      const view = viewOf({
        labels: held.labels as tf.Tensor2D,
        source: { labels: held.labels as tf.Tensor2D, counts: null },
        sourceLogits: held.sourceLogits as tf.Tensor2D,
      });
      const { value, weight } = term.loss!(
        view,
        heldOf({ state: { relationship: held.relationship }, fed: { share: held.share } }),
        options,
      );
      return { weighed: tf.mul(value, weight) };
    },
  );
  expect(weighed[0]).toBeCloseTo(0.25 * 2 * Math.log(2), 6);
});

test('the source head learns at a rate of its own, which leaves everything else as it is', () => {
  const [{ term, options }] = termsOf([{ name: 'cotuning', sourceHeadRate: 0.1 }]);
  const network = {
    backbone: createBackbone({ architecture: 'resnet18', padding: 'symmetric', width: 1 / 16 }),
    ...{ batchNormEpsilon: 1e-5, sourceClasses: 3, targetClasses: 3 },
  };
  const { backbone } = network;
  const rateOf = (name: string) => term.rate!(name, network, options);
  expect(rateOf(`${backbone.head}.weight`)).toBe(0.1);
  expect(['target.weight', backbone.tensors[0].name].map(rateOf)).toEqual([1, 1]);
});

test('the shuffled control gives every class the row of another, the same for the same seed', () => {
  const matrix = Float32Array.from({ length: 12 * 3 }, (_, at) => Math.floor(at / 3));
  for (const rows of [2, 3, 12]) {
    const shuffled = withRowsOfOthers(matrix.slice(0, rows * 3), rows, 4);
    const first = Array.from({ length: rows }, (_, row) => shuffled[row * 3]);
    expect(first.every((value, row) => value !== row)).toBe(true);
    expect([...first].sort((a, b) => a - b)).toEqual(first.map((_, row) => row));
    expect(withRowsOfOthers(matrix.slice(0, rows * 3), rows, 4)).toEqual(shuffled);
  }
  expect(withRowsOfOthers(matrix, 12, 5)).not.toEqual(withRowsOfOthers(matrix, 12, 4));
});

test('cross-entropy and its gradient are those recorded from PyTorch', async () => {
  const { inputs, value, grads } = recorded.cross_entropy;
  const labels = oneHot(inputs.labels, inputs.z[0].length);
  const found = await valueAndGradients({ z: inputs.z, labels }, ['z'], (held) =>
    crossEntropy(held.z as tf.Tensor2D, held.labels as tf.Tensor2D),
  );
  agrees(found.value, value);
  agrees(found.z, grads.z);
});

test('label smoothing spreads its share over every class, as PyTorch does', async () => {
  const { inputs, value, grads } = recorded.label_smoothing;
  const [{ term, options }] = termsOf([], [{ name: 'label-smoothing', epsilon: inputs.e }]);
  const labels = oneHot(inputs.labels, inputs.z[0].length);
  const found = await valueAndGradients({ z: inputs.z, labels }, ['z'], (held) =>
    crossEntropy(held.z as tf.Tensor2D, term.soften!(held.labels as tf.Tensor2D, options)),
  );
  agrees(found.value, value);
  agrees(found.z, grads.z);
});

const { p0, gradients_per_step: gradients } = recorded.optimizers.inputs;
test.each([
  ['sgd', recorded.optimizers.sgd_nesterov, { momentum: 0.9 }, { momentum: 'buffer' }],
  ['adamw', recorded.optimizers.adamw, {}, { mean: 'm', square: 'v' }],
] as const)(
  'five steps of %s give the parameters and the state recorded from PyTorch',
  async (name, { lr, weight_decay: weightDecay, steps }, more, names) => {
    const { optimizer, options } = optimizerOf({ name, weightDecay, ...more });
    const spec: TensorSpec = { shape: [p0.length], dtype: 'float32' };
    const scalar: TensorSpec = { shape: [], dtype: 'float32' };
    const engine = await openReferenceEngine();
    const executable = await engine.compile({
      state: { p: spec, ...Object.fromEntries(optimizer.slots.map((slot) => [slot, spec])) },
      batch: { gradient: spec, rate: scalar, step: scalar },
      step({ p, ...slots }, { gradient, rate, step }) {
        const after = optimizer.step(
          { parameter: p, gradient, slots, rate: () => rate, step, decays: true },
          options,
        );
        return { state: { p: after.parameter, ...after.slots }, outputs: {} };
      },
    });
    const zeros = () => new Float32Array(p0.length);
    await executable.load({
      p: Float32Array.from(p0),
      ...Object.fromEntries(optimizer.slots.map((slot) => [slot, zeros()])),
    });
    for (const [t, gradient] of gradients.entries()) {
      await executable.run({
        gradient: Float32Array.from(gradient),
        rate: Float32Array.of(lr),
        step: Float32Array.of(t + 1),
      });
      const state = await executable.read();
      const want = steps[t] as unknown as Record<string, number[]>;
      agrees(state.p, want.p);
      for (const [slot, key] of Object.entries(names)) agrees(state[slot], want[key]);
    }
  },
);

test.each([
  ['multistep', { name: 'step', decayAt: [8, 14] }],
  ['cosine', { name: 'cosine' }],
  ['cosine_eta_min', { name: 'cosine', floor: 0.01 }],
  ['linear_warmup_cosine', { name: 'cosine', warmup: 5 }],
] as const)('the learning rate follows PyTorch’s table of %s', (table, part) => {
  const { base_lr: rate, tables } = recorded.schedules;
  const { schedule, options } = scheduleOf({ ...part });
  for (const [step, want] of tables[table].lr.entries())
    expect(rate * schedule.factor(step, 20, options)).toBeCloseTo(want, 10);
});

test('L2-SP adds the gradients recorded from PyTorch: towards the start for what was pre-trained, towards zero for the new head', async () => {
  const { inputs, grads } = recorded.l2_sp;
  // The recorded case calls the starting point's coefficient beta; the paper calls it alpha.
  const [{ term, options }] = termsOf([{ name: 'l2-sp', alpha: inputs.beta, beta: inputs.alpha }]);
  const { penalty } = term;
  const of = (value: number[] | number[][], anchor: number[] | number[][] | null) =>
    penalty!(
      { name: '', isHead: anchor === null, value: tf.tensor(value), anchor: anchor && tf.tensor(anchor) },
      heldOf(),
      options,
    )!.dataSync();
  await openReferenceEngine();
  tf.setBackend('cpu');
  agrees(of(inputs.w, inputs.w0), grads.w);
  agrees(of(inputs.w_head, null), grads.w_head);
});

test('mixup mixes images and labels with one share, as recorded from PyTorch', async () => {
  const { inputs, value, grads, x, x_mixed } = recorded.mixup;
  const [{ term, options }] = termsOf([], [{ name: 'mixup' }]);
  await openReferenceEngine();
  tf.setBackend('cpu');
  const held = heldOf({
    fed: { partners: tf.tensor1d(inputs.perm, 'int32'), share: tf.scalar(inputs.lam) },
  });
  const labels = tf.tensor2d(oneHot(inputs.labels, inputs.z[0].length));
  const mixed = term.mix!({ images: tf.tensor(x) as tf.Tensor4D, labels }, held, options);
  agrees(mixed.images.dataSync(), x_mixed);
  const found = await valueAndGradients({ z: inputs.z, labels: mixed.labels.arraySync() }, ['z'], (given) =>
    crossEntropy(given.z as tf.Tensor2D, given.labels as tf.Tensor2D),
  );
  agrees(found.value, value);
  agrees(found.z, grads.z);
});

test('mixup’s share is from Beta(α, α): mean a half, variance 1 / (4 (2 α + 1))', () => {
  const [{ term }] = termsOf([], [{ name: 'mixup' }]);
  const shape = { batch: 2, size: 32 };
  for (const alpha of [0.2, 1, 5]) {
    const shares = Array.from(
      { length: 4000 },
      (_, step) =>
        term.feeds!.values(shape, {} as never, { alpha }, randomOf(1, 'mixup', step), step).share[0],
    );
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
    // Five standard errors of the mean, at the widest distribution; the variance's is smaller.
    expect(Math.abs(mean - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(shares.length));
    expect(Math.abs(variance - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.02);
  }
});

test('gradient clipping scales all gradients alike down to the bound on their common norm, and leaves shorter ones', async () => {
  await openReferenceEngine();
  tf.setBackend('cpu');
  const limited = (norm: number, values: number[][]) => {
    const [{ term, options }] = termsOf([], [{ name: 'gradient-clipping', norm }]);
    const given = Object.fromEntries(values.map((each, index) => [`${index}`, tf.tensor1d(each)]));
    return Object.values(term.limit!(given, options)).flatMap((each) => [...each.dataSync()]);
  };
  // ‖(3, 4), (12)‖ = 13.
  agrees(limited(1, [[3, 4], [12]]), [3 / 13, 4 / 13, 12 / 13]);
  expect(limited(14, [[3, 4], [12]])).toEqual([3, 4, 12]);
  expect(limited(1, [[0, 0], [0]])).toEqual([0, 0, 0]);
});

test('class weights are balanced, mean 1 over training images, and each image’s cross-entropy and gradient is multiplied by its own', async () => {
  const made = async (by: string, trainingImages: number[]) => {
    const [{ term, options }] = termsOf([], [{ name: 'class-weights', by }]);
    return (await term.prepare!({ trainingImages } as never, options)).state!.weights;
  };
  agrees(await made('inverse', [1, 4, 0]), [5 / 2, 5 / 8, 0]);
  agrees(await made('square-root', [1, 4, 0]), [5 / 3, 5 / 6, 0]);

  const { inputs, grads } = recorded.cross_entropy;
  const weights = await made('inverse', [3, 1, 2, 7, 5]);
  const [{ term, options }] = termsOf([], [{ name: 'class-weights' }]);
  const labels = oneHot(inputs.labels, inputs.z[0].length);
  const found = await valueAndGradients({ z: inputs.z, labels, weights: [...weights] }, ['z'], (held) => {
    const own = heldOf({ state: { weights: held.weights } });
    const given = held.labels as tf.Tensor2D;
    return crossEntropy(held.z as tf.Tensor2D, given, term.weigh!(given, own, options));
  });
  const lossOf = (row: number[], label: number) =>
    Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[label];
  const parts = inputs.z.map((row, i) => weights[inputs.labels[i]] * lossOf(row, inputs.labels[i]));
  agrees(found.value, parts.reduce((sum, part) => sum + part, 0) / parts.length);
  agrees(
    found.z,
    grads.z.map((row, i) => row.map((entry) => entry * weights[inputs.labels[i]])),
  );
});

test.each(['bss_k1', 'bss_k2', 'bss_k3', 'bss_tall_k1'] as const)(
  'batch spectral shrinkage and its gradient are those recorded from PyTorch’s singular values: %s',
  async (name) => {
    const { inputs, value, grads } = recorded[name];
    const [{ term, options }] = termsOf([{ name: 'bss', eta: inputs.eta, count: inputs.k }]);
    for (const open of [openReferenceEngine, () => openEngine('cpu')]) {
      const found = await valueAndGradients(
        { features: inputs.feat },
        ['features'],
        (held) => {
          const view = viewOf({ features: held.features as tf.Tensor2D });
          const added = term.loss!(view, heldOf(), options);
          return tf.mul(added.value, added.weight);
        },
        open,
      );
      agrees(found.value, value);
      agrees(found.features, grads.feat);
    }
  },
);

test('batch spectral shrinkage of features that are all zero, or alike, is zero and not undefined', async () => {
  const [{ term, options }] = termsOf([{ name: 'bss', count: 2 }]);
  for (const row of [
    [0, 0, 0, 0],
    [1, 2, 0, 4],
  ]) {
    const found = await valueAndGradients({ features: [row, row, row] }, ['features'], ({ features }) => {
      const view = viewOf({ features: features as tf.Tensor2D });
      return term.loss!(view, heldOf(), options).value;
    });
    // Of 63, the square of the only singular value, float32 leaves this much.
    expect(Math.abs(found.value[0])).toBeLessThan(1e-5);
    for (const entry of found.features) expect(Math.abs(entry)).toBeLessThan(1e-3);
  }
});
