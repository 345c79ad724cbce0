/** Methods and extras that change the network or the pass through it while training. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { batchNormTraining, updateRunning } from '../../src-main/backbones/batch-norm.ts';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { randomOf } from '../../src-main/data/random.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Tensors } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { feedsAt } from '../../src-main/transfer/feeds.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import { averageName, trainingProgram } from '../../src-main/transfer/training-program.ts';
import type { Part } from '../../src-shared/domain.ts';
import { agrees, outputsOf, recorded, valueAndGradients } from './terms.ts';

const networkOf = (architecture: string, width: number) => ({
  backbone: createBackbone({ architecture, padding: 'symmetric', width }),
  batchNormEpsilon: 1e-5,
  sourceClasses: 3,
  targetClasses: 3,
});

interface Settings {
  architecture?: string;
  width?: number;
  method?: Part[];
  extras?: Part[];
  engine?: 'cpu' | 'reference';
  steps?: number;
}

/** Steps of a small network on two images of 37 by 37 pixels: what the program holds after each. */
async function stepsOf({
  architecture = 'mobilenet_v2',
  width = 0.1,
  method = [{ name: 'finetune' }],
  extras = [],
  engine: name = 'cpu',
  steps = 2,
}: Settings): Promise<Arrays[]> {
  const network = networkOf(architecture, width);
  const size = 37;
  const chosen = {
    terms: termsOf(method, extras),
    optimizer: optimizerOf({ name: 'sgd' }),
    ...{ batch: 2, size, headLearningRateMultiplier: 10 },
  };
  const program = trainingProgram(network, chosen);
  const { backbone } = network;
  const weights = Object.fromEntries(
    backbone.tensors.map(({ name, shape }) => {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      return [name, values.map((_, at) => 0.1 + ((at * 7) % 13) / 20)];
    }),
  );
  const engine = name === 'cpu' ? await openEngine('cpu') : await openReferenceEngine();
  const executable = await engine.compile(program);
  await executable.load(initialState(program, network, weights, 0));
  const states: Arrays[] = [structuredClone(await executable.read())];
  for (let step = 0; step < steps; step++) {
    await executable.run({
      images: Float32Array.from({ length: 2 * size * size * 3 }, (_, at) => ((at * 31) % 17) / 8 - 1),
      labels: Int32Array.of(0, 2),
      ...feedsAt(step, 0.01, network, chosen, 5),
    });
    states.push(structuredClone(await executable.read()));
  }
  await engine.dispose();
  return states;
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
  const network = networkOf('mobilenet_v2', 0.5);
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

const channel = (state: Arrays, name: string) => Array.from(state[name]);

test('StochNorm with probability 1 is batch norm, and with 0 it uses running statistics that learn all the same', async () => {
  const mixed = (probability: number) => stepsOf({ method: [{ name: 'stochnorm', probability }], steps: 1 });
  const [[, plain], [, all], [before, none]] = [await stepsOf({ steps: 1 }), await mixed(1), await mixed(0)];
  expect(all['target.weight']).toEqual(plain['target.weight']);
  const name = 'features.0.1';
  expect(channel(none, `${name}.running_mean`)).toEqual(channel(plain, `${name}.running_mean`));
  expect(none[`${name}.running_mean`]).not.toEqual(before[`${name}.running_mean`]);
  expect(none['target.weight']).not.toEqual(plain['target.weight']);
});

test('a moving average holds what its formula says, running statistics included, and starts with the weights', async () => {
  const states = await stepsOf({ extras: [{ name: 'moving-average', decay: 0.15 }], steps: 3 });
  for (const name of ['features.0.0.weight', 'features.0.1.running_var', 'target.weight']) {
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

/** Width at which networks are small and whole. */
const droppers = [
  { architecture: 'efficientnet_b0', name: 'stochastic-depth', of: 'image', width: 0.25 },
  { architecture: 'mobilenet_v3_small', name: 'dropout', of: 'element', width: 0.25 },
] as const;

for (const { architecture, name, of, width } of droppers) {
  test(`${name}: masks are drawn as published, change what is learned, and are the same for a seed`, async () => {
    const { backbone } = networkOf(architecture, width);
    const [{ term, options }] = termsOf([], [{ name }]);
    const shape = { batch: 512, size: 32 };
    const masks = term.feeds!.values(shape, { backbone } as never, options, randomOf(0, name, 0), 0);
    const sites = backbone.masks.filter((site) => site.of === of && site.rate > 0);
    expect(Object.keys(masks)).toEqual(sites.map((site) => site.name));
    for (const { name: site, rate, features } of sites) {
      const values = masks[site] as Float32Array;
      expect(values).toHaveLength(of === 'element' ? 512 * features : 512);
      expect([...new Set(values)].sort()).toEqual([0, Math.fround(1 / (1 - rate))]);
      const dropped = values.filter((value) => value === 0).length / values.length;
      expect(Math.abs(dropped - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / values.length));
    }
    const once = () => stepsOf({ architecture, width, extras: [{ name }], steps: 1 });
    const [[, one], [, again], [, without]] = [
      await once(),
      await once(),
      await stepsOf({ architecture, width, steps: 1 }),
    ];
    expect(again).toEqual(one);
    expect(one['target.weight']).not.toEqual(without['target.weight']);
  });
}
