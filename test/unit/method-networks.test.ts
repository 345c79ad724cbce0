/** Methods and extras that change the network or the pass through it while training. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { withAdapter, withAdaptersOf } from '../../src-main/backbones/adapters.ts';
import { batchNormTraining, updateRunning } from '../../src-main/backbones/batch-norm.ts';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import {
  activation,
  batchNorm,
  block,
  convolution,
  type Description,
  dropout,
  globalPool,
  type Layer,
  linear,
  stochasticDepth,
  sum,
} from '../../src-main/backbones/description.ts';
import { visionTransformer } from '../../src-main/backbones/networks/vit.ts';
import { architectureNamed } from '../../src-main/backbones/registry.ts';
import { normalOf, randomOf } from '../../src-main/data/random.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Engine, Tensors } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { evaluationProgram } from '../../src-main/transfer/evaluation-program.ts';
import { feedsAt } from '../../src-main/transfer/feeds.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import type { Network } from '../../src-main/transfer/network.ts';
import { withoutOwnTensors } from '../../src-main/transfer/own-tensors.ts';
import { averageName } from '../../src-main/transfer/step-plan.ts';
import type { Preparation } from '../../src-main/transfer/term.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';
import { untrainedWeights } from '../../src-main/transfer/untrained-weights.ts';
import type { Part } from '../../src-shared/domain.ts';
import { agrees, outputsOf, recorded, valueAndGradients } from './terms.ts';

const conv = (name: string, out: number, stride = 1): Layer[] => [
  convolution(`${name}.conv`, out, { kernel: 3, stride }),
  batchNorm(`${name}.bn`),
  activation('relu'),
];

const residual = (name: string, channels: number, rate: number): Layer =>
  block(
    name,
    sum([convolution('conv', channels, { kernel: 3 }), batchNorm('bn'), stochasticDepth('depth', rate)], []),
    activation('relu'),
  );

/** Five channels, then seven: no width that a processor likes. */
const convolutional: Description = {
  batchNorm: { epsilon: 1e-5, momentum: 0.1 },
  stages: [
    conv('stem', 5, 2),
    [residual('a', 5, 0), residual('b', 5, 0.2)],
    [...conv('smaller', 7, 2), residual('c', 7, 0.4)],
    [],
    [],
  ],
  neck: [dropout('channels', 0.3), globalPool(), dropout('features', 0.3)],
  head: [linear('fc', 'classes')],
};

const transformer = visionTransformer({ patch: 12, layers: 4, heads: 2, hidden: 10, mlp: 14 }, 3);

const networkOf = (description: Description): Network => ({
  backbone: buildBackbone(description, 'symmetric'),
  batchNormEpsilon: 1e-5,
  sourceClasses: 3,
  targetClasses: 3,
});

interface Settings {
  description?: Description;
  method?: Part[];
  extras?: Part[];
  open?: () => Promise<Engine>;
  steps?: number;
}

const [batch, size] = [2, 37];
const images = Float32Array.from({ length: batch * size * size * 3 }, (_, at) => ((at * 31) % 17) / 8 - 1);

/** The weights that a description has before training: normal ones for matrices, the identity for norms. */
const weightsOf = ({ backbone }: Network): Arrays =>
  untrainedWeights(backbone.tensors, (name) => {
    const random = randomOf(1, name);
    return () => normalOf(random);
  });

/** Steps of a small network on two images of 37 by 37 pixels: what the program holds before them and after each. */
async function stepsOf({
  description = convolutional,
  method = [{ name: 'finetune' }],
  extras = [],
  open = () => openEngine('cpu'),
  steps = 2,
}: Settings) {
  const terms = termsOf(method, extras);
  const network = networkOf(
    terms.reduce((before, { term, options }) => term.describe?.(before, options) ?? before, description),
  );
  const chosen = {
    terms,
    optimizer: optimizerOf({ name: 'sgd' }),
    ...{ batch, size, headLearningRateMultiplier: 10 },
  };
  const program = trainingProgram(network, chosen);
  const prepared: Arrays = {};
  for (const { term, options } of terms)
    Object.assign(prepared, (await term.prepare?.({ network, seed: 0 } as Preparation, options))?.network);
  const weights = weightsOf(networkOf(description));
  const engine = await open();
  const executable = await engine.compile(program);
  await executable.load(initialState(program, network, weights, 0, prepared));
  const states: Arrays[] = [structuredClone(await executable.read())];
  for (let step = 0; step < steps; step++) {
    await executable.run({
      images,
      labels: Int32Array.of(0, 2),
      ...feedsAt(step, 0.01, network, chosen, 5),
    });
    states.push(structuredClone(await executable.read()));
  }
  const last = states.at(-1)!;
  const kept = Object.fromEntries(Object.entries(last).filter(([name]) => !name.startsWith('momentum/')));
  const merged = await withoutOwnTensors(engine, network, terms, kept);
  await engine.dispose();
  return { network, weights, states, last, merged };
}

test('StochNorm’s output, gradients and running statistics are those recorded from PyTorch', async () => {
  const { inputs, y, value, grads, running_mean_after, running_var_after } = recorded.stochnorm_4d;
  const { x, gamma, beta, running_mean: mean, running_var: variance, s: batch, coef } = inputs;
  /** [n, channels, h, w] as [n, h, w, channels]. */
  const last = (values: number[][][][]) =>
    values.map((image) => image[0].map((row, i) => row.map((_, j) => image.map((channel) => channel[i][j]))));
  const found = await valueAndGradients(
    { x: last(x), gamma, beta, mean, variance, batch, coef: last(coef), near: mean },
    ['x', 'gamma', 'beta'],
    (held) => tf.sum(tf.mul(normalized(held).y, held.coef)),
  );
  agrees(found.value, value);
  agrees(found.x, last(grads.x));
  agrees(found.gamma, grads.gamma);
  agrees(found.beta, grads.beta);

  const outputs = await outputsOf({ x: last(x), gamma, beta, mean, variance, batch, near: mean }, (held) => {
    const result = normalized(held);
    const running = updateRunning({ mean: held.mean, variance: held.variance }, result, 12, 0.1);
    return { y: result.y, ...running };
  });
  agrees(outputs.y, last(y));
  agrees(outputs.mean, running_mean_after);
  agrees(outputs.variance, running_var_after);
});

const normalized = (held: Tensors) =>
  batchNormTraining(
    held.x as tf.Tensor4D,
    held.gamma as tf.Tensor1D,
    held.beta as tf.Tensor1D,
    1e-5,
    held.near as tf.Tensor1D,
    { mean: held.mean, variance: held.variance, batch: held.batch },
  );

test('StochNorm draws every channel’s branch with its probability, anew at every step and for every batch norm', () => {
  const [{ term }] = termsOf([{ name: 'stochnorm' }]);
  const network = networkOf(architectureNamed('resnet18').describe({ width: 1 }));
  const drawn = (step: number, probability: number) =>
    term.feeds!.values({ batch: 2, size: 32 }, network, { probability }, randomOf(0, 'stochnorm', step), step)
      .channels;
  const channels = network.backbone.tensors
    .filter(({ name }) => name.endsWith('running_mean'))
    .reduce((sum, { shape }) => sum + shape[0], 0);
  for (const probability of [0, 0.2, 1]) {
    const values = drawn(0, probability) as Float32Array;
    expect(values).toHaveLength(channels);
    const mean = values.reduce((sum, value) => sum + value, 0) / channels;
    // Five standard errors of a share.
    expect(Math.abs(mean - probability)).toBeLessThanOrEqual(
      5 * Math.sqrt((probability * (1 - probability)) / channels),
    );
  }
  expect(drawn(3, 0.5)).toEqual(drawn(3, 0.5));
  expect(drawn(3, 0.5)).not.toEqual(drawn(4, 0.5));
});

const differs = (one: Arrays, other: Arrays, name: string): boolean =>
  one[name].some((value, at) => value !== other[name][at]);

test('StochNorm with probability 1 is batch norm, and with 0 it uses running statistics that learn all the same', async () => {
  const mixed = (probability: number) => stepsOf({ method: [{ name: 'stochnorm', probability }], steps: 1 });
  const [plain, all, none] = [await stepsOf({ steps: 1 }), await mixed(1), await mixed(0)];
  expect(all.last['target.weight']).toEqual(plain.last['target.weight']);
  // What comes before the first norm does not depend on it.
  expect(none.last['stem.bn.running_mean']).toEqual(plain.last['stem.bn.running_mean']);
  expect(differs(none.last, none.states[0], 'c.bn.running_mean')).toBe(true);
  expect(differs(none.last, plain.last, 'target.weight')).toBe(true);
});

test('a moving average holds what its formula says, running statistics included, and starts with the weights', async () => {
  const { states } = await stepsOf({ extras: [{ name: 'moving-average', decay: 0.15 }], steps: 3 });
  for (const name of ['stem.conv.weight', 'c.bn.running_var', 'target.weight']) {
    let average = Float64Array.from(states[0][name]);
    expect(states[0][averageName(name)]).toEqual(states[0][name]);
    for (const [step, state] of states.slice(1).entries()) {
      const share = Math.min(0.15, (1 + step) / (10 + step));
      average = average.map((value, at) => share * value + (1 - share) * state[name][at]);
      agrees(state[averageName(name)], [...average]);
    }
  }
});

test('early stopping ends where so many passes found nothing better, and says when the best was', () => {
  const [{ term, options }] = termsOf([], [{ name: 'early-stopping', patience: 2 }]);
  const said = (...accuracies: number[]) =>
    term.stops!(
      accuracies.map((accuracy, at) => ({ step: 10 * (at + 1), accuracy })),
      options,
    );
  expect(said()).toBeNull();
  expect(said(0.5, 0.4)).toBeNull();
  expect(said(0.5, 0.4, 0.6)).toBeNull();
  // As good is not better.
  expect(said(0.4, 0.6, 0.6, 0.5)).toBe(
    'Validation found 60.0 % at step 20 and nothing better in the 2 passes since.',
  );
});

for (const [name, of] of [
  ['stochastic-depth', 'image'],
  ['dropout', 'element'],
] as const)
  test(`${name}: masks are drawn as published, change what is learned, and leave frozen blocks alone`, async () => {
    const network = networkOf(convolutional);
    const [{ term, options }] = termsOf([], [{ name }]);
    const shape = { batch: 512, size };
    const masks = term.feeds!.values(shape, network, options, randomOf(0, name, 0), 0);
    const sites = network.backbone.masks.filter((site) => site.of === of && site.rate > 0);
    expect(Object.keys(masks)).toEqual(sites.map((site) => site.name));
    for (const { name: site, rate, features } of sites) {
      const values = masks[site] as Float32Array;
      expect(values).toHaveLength(of === 'element' ? 512 * features : 512);
      expect([...new Set(values)].sort()).toEqual([0, Math.fround(1 / (1 - rate))]);
      const dropped = values.filter((value) => value === 0).length / values.length;
      // Five standard errors of a share.
      expect(Math.abs(dropped - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / values.length));
    }
    const [dropping, whole] = [await stepsOf({ extras: [{ name, probability: 0.6 }] }), await stepsOf({})];
    expect(differs(dropping.last, whole.last, 'target.weight')).toBe(true);
    if (of === 'element') return;
    const frozen = { name: 'frozen-blocks', blocks: 3 };
    const [still, stillWhole] = [
      await stepsOf({ extras: [{ name, probability: 0.6 }, frozen] }),
      await stepsOf({ extras: [frozen] }),
    ];
    expect(still.last['target.weight']).toEqual(stillWhole.last['target.weight']);
  });

/** Logits of both images by a network's weights. */
async function logitsOf(description: Description, weights: Arrays): Promise<Float32Array> {
  const engine = await openEngine('cpu');
  const program = evaluationProgram(networkOf(description), 'target', batch, size);
  const constants = Object.fromEntries(Object.keys(program.state).map((name) => [name, weights[name]]));
  const { logits } = await (await engine.compile(program, { constants })).run({ images });
  await engine.dispose();
  return logits as Float32Array;
}

test.each([
  ['convolutional', convolutional],
  ['transformer', transformer],
])(
  'adapters begin as the pre-trained %s network, and nothing but them, norms and heads learns',
  async (_, description) => {
    const { network, states, last } = await stepsOf({
      description,
      method: [{ name: 'adapter', reduction: 2 }],
    });
    const adapted = withAdapter(description, { reduction: 2 });
    expect(await logitsOf(adapted, states[0])).toEqual(await logitsOf(description, states[0]));
    expect(await logitsOf(adapted, last)).not.toEqual(await logitsOf(description, last));
    const learned = network.backbone.tensors
      .filter(({ name, kind }) => kind !== 'running' && differs(last, states[0], name))
      .map(({ name }) => name);
    const may = /\.adapter1\.|(^|\.)(bn|ln_1|ln_2|ln)\.(weight|bias)$/;
    expect(learned.filter((name) => !may.test(name))).toEqual([]);
    for (const { name } of network.backbone.blocks)
      expect(learned).toEqual(
        expect.arrayContaining([`${name}.adapter1.up.weight`, `${name}.adapter1.down.weight`]),
      );
  },
);

test('a new adapter’s bottleneck is drawn from the seed, and as large as what comes in', async () => {
  const [{ term, options }] = termsOf([{ name: 'adapter' }]);
  const network = networkOf(term.describe!(architectureNamed('resnet18').describe({ width: 1 }), options));
  const drawn = async (seed: number) => {
    const made = await term.prepare!({ network, seed } as Preparation, options);
    return made.network!['layer4.1.adapter1.down.weight'] as Float32Array;
  };
  const values = await drawn(1);
  const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
  // 512 channels come in. A variance of n normal numbers has the standard error √(2 / n).
  expect(Math.abs(variance / (2 / 512) - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
  expect(await drawn(1)).toEqual(values);
  expect(await drawn(2)).not.toEqual(values);
});

test('a file’s tensors say which adapters its network has; more are added under names of their own', () => {
  const twice = withAdapter(withAdapter(convolutional, { reduction: 2 }), { reduction: 5 });
  const shapes = new Map(networkOf(twice).backbone.tensors.map(({ name, shape }) => [name, shape]));
  expect(shapes.get('a.adapter1.down.weight')).toEqual([3, 5, 1, 1]);
  expect(shapes.get('c.adapter2.up.weight')).toEqual([7, 1, 1, 1]);
  const found = networkOf(withAdaptersOf(convolutional, (name) => shapes.get(name)));
  expect(found.backbone.tensors).toEqual(networkOf(twice).backbone.tensors);
  expect(withAdaptersOf(convolutional, () => undefined)).toBe(convolutional);
});

test('LoRA begins as the pre-trained network, trains its factors and heads alone, and is merged into an ordinary network', async () => {
  const method = [{ name: 'lora', rank: 3, alpha: 6 }];
  const { network, weights, states, last, merged } = await stepsOf({ description: transformer, method });
  for (const { name } of network.backbone.tensors)
    expect([name, differs(last, states[0], name)]).toEqual([name, false]);
  expect(Object.keys(merged)).toEqual(expect.arrayContaining(Object.keys(weights)));
  expect(Object.keys(merged).filter((name) => /\.(a|b)$/.test(name))).toEqual([]);
  const packed = 'encoder.layers.encoder_layer_1.self_attention.in_proj_weight';
  const [a, b] = ['a', 'b'].map((factor) => last[`${packed}.query.${factor}`]);
  // x (W + 2 Aᵀ Bᵀ) over the query's columns, of 30 columns in all; the key's stay.
  const wanted = Array.from(weights[packed], (value, at) => {
    const [row, column] = [Math.floor(at / 30), at % 30];
    if (column >= 10) return value;
    return value + 2 * [0, 1, 2].reduce((sum, k) => sum + a[row * 3 + k] * b[k * 10 + column], 0);
  });
  const columns = (values: ArrayLike<number>, from: number, to: number) =>
    Array.from(values).filter((_, at) => at % 30 >= from && at % 30 < to);
  agrees(columns(merged[packed], 0, 10), columns(wanted, 0, 10));
  expect(columns(merged[packed], 10, 20)).toEqual(columns(weights[packed], 10, 20));
  expect(columns(merged[packed], 20, 30)).not.toEqual(columns(weights[packed], 20, 30));
  expect(differs(last, states[0], 'target.weight')).toBe(true);
});

const everything: { description: Description; method: Part[]; extras: Part[] }[] = [
  {
    description: convolutional,
    method: [{ name: 'stochnorm' }],
    extras: [
      { name: 'dropout' },
      { name: 'stochastic-depth' },
      { name: 'moving-average' },
      { name: 'frozen-blocks', blocks: 1 },
    ],
  },
  {
    description: convolutional,
    method: [{ name: 'adapter', reduction: 2 }],
    extras: [{ name: 'moving-average' }],
  },
  {
    description: transformer,
    method: [{ name: 'adapter', reduction: 3 }],
    extras: [{ name: 'stochastic-depth' }],
  },
  { description: transformer, method: [{ name: 'lora', rank: 3 }], extras: [{ name: 'moving-average' }] },
];

test.each(everything)(
  '$method.0.name and $extras.length extras: two runs are the same to the bit, and the eager engine’s numbers',
  async (settings) => {
    const [one, again, eager] = [
      await stepsOf(settings),
      await stepsOf(settings),
      await stepsOf({ ...settings, open: openReferenceEngine }),
    ];
    expect(again.last).toEqual(one.last);
    // Float32 in another order of summation; a batch norm's gradient over few pixels magnifies it.
    for (const [name, values] of Object.entries(eager.last) as [string, Float32Array][]) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
      for (const [at, value] of values.entries())
        expect(Math.abs(one.last[name][at] - value) / largest, name).toBeLessThan(1e-4);
    }
  },
);
