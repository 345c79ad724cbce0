import { expect, test } from 'vitest';
import { refuseUnused } from '../../src-main/service/choose-parts.ts';
import { resolveRunConfig } from '../../src-main/service/run-config.ts';
import type { RunRequest } from '../../src-shared/contract.ts';
import { type Dataset, type Model, RunConfig } from '../../src-shared/domain.ts';

const dataset = { name: 'd' } as Dataset;
const model = (inputSize: number) =>
  ({
    name: 'm',
    architecture: 'resnet18',
    sourceClasses: ['a', 'b'],
    preprocessing: { inputSize },
  }) as Model;
const resolve = (more: Partial<RunRequest> = {}, inputSize = 224, train = 100): RunConfig =>
  resolveRunConfig(
    { dataset: '1', model: '1', method: 'cotuning', ...more } as RunRequest,
    dataset,
    model(inputSize),
    train,
  ).config;

test('`quick` is complete, and names its inputs by name', () => {
  const config = resolve();
  expect(RunConfig.parse(config)).toEqual(config);
  expect(config).toMatchObject({
    dataset: 'd',
    model: 'm',
    preset: 'quick',
    batch: 32,
    size: 128,
    steps: 300,
  });
  expect(config.schedule).toEqual({ name: 'step', decayAt: [200], decayFactor: 0.1 });
});

test('`quick` has strengths for short trainings, which a person’s own outdo; the longer presets have the published ones', () => {
  const strengthOf = (more: Partial<RunRequest>) => resolve(more).method[0];
  expect(strengthOf({})).toMatchObject({ name: 'cotuning', tradeOff: 0.23 });
  expect(strengthOf({ method: [{ name: 'cotuning', tradeOff: 1 }] })).toMatchObject({ tradeOff: 1 });
  expect(strengthOf({ options: { tradeOff: 2 } })).toMatchObject({ tradeOff: 2 });
  expect(strengthOf({ method: 'delta' })).toMatchObject({ alpha: 0.001, beta: 0.01 });
  for (const preset of ['paper', 'tllib']) expect(strengthOf({ preset })).toMatchObject({ tradeOff: 2.3 });
});

test('`quick` trains a network whose scores go through a ReLU more slowly, `paper` as published', () => {
  const rateOf = (architecture: string, preset?: string) =>
    resolveRunConfig(
      { dataset: '1', model: '1', method: 'cotuning', preset } as RunRequest,
      dataset,
      { ...model(224), architecture },
      100,
    ).config.learningRate;
  expect(rateOf('squeezenet1_1')).toBe(0.0003);
  expect(rateOf('vgg11')).toBe(0.001);
  expect(rateOf('squeezenet1_1', 'paper')).toBe(0.001);
});

test('`paper` has the paper’s budget', () => {
  expect(resolve({ preset: 'paper' })).toMatchObject({
    steps: 9050,
    batch: 48,
    size: 224,
    method: [{ name: 'cotuning', tradeOff: 2.3, approach: 'reverse' }],
    schedule: { name: 'step', decayAt: [6000], decayFactor: 0.1 },
    learningRate: 0.001,
    headLearningRateMultiplier: 10,
    optimizer: { name: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  });
});

test('`paper` sees pictures as its repository does, `tllib` as the library does and chooses on validation', () => {
  expect(resolve({ preset: 'paper' })).toMatchObject({
    resize: { name: 'squash' },
    crop: { name: 'random-crop', scale: [0.08, 1], flip: 0.5 },
    evaluation: { name: 'ten-crop' },
    select: 'last',
  });
  expect(resolve({ preset: 'tllib' })).toMatchObject({
    steps: 10_000,
    schedule: { decayAt: [6000] },
    evaluateEvery: 500,
    resize: { name: 'crop' },
    crop: { name: 'random-crop', scale: [0.2, 1] },
    evaluation: { name: 'center-crop' },
    select: 'best',
  });
  // What is said of a preset's part leaves its other options.
  expect(resolve({ preset: 'paper', options: { flip: 0 } }).crop).toMatchObject({
    scale: [0.08, 1],
    flip: 0,
  });
  expect(resolve({ preset: 'paper', resize: 'letterbox', evaluation: 'center-crop' }).resize?.name).toBe(
    'letterbox',
  );
  expect(() => resolve({ preset: 'papr' })).toThrow(/no preset "papr"/);
});

test('ways to see pictures that contradict each other are refused with the reason', () => {
  const seen = { resize: 'letterbox', evaluation: 'ten-crop' };
  for (const method of ['cotuning', 'linear-probe'])
    expect(() => resolve({ method, ...seen })).toThrow(/Letterbox and Ten crops cannot go together/);
  expect(() => resolve({ sampling: 'class-balanced', extras: 'class-weights' })).toThrow(/twice/);
});

test('what is given wins, and the schedule follows the steps', () => {
  const config = resolve({ steps: 30, learningRate: 0.1, options: { decayAt: [5] } });
  expect(config.schedule).toMatchObject({ decayAt: [5] });
  expect(config).toMatchObject({ learningRate: 0.1, evaluateEvery: 6, checkpointEvery: 6 });
  expect(resolve({ steps: 30 }).schedule.decayAt).toEqual([20]);
  expect(resolve({ steps: 1 }).schedule.decayAt).toEqual([]);
});

test('epochs count passes over the training images', () => {
  expect(resolve({ epochs: 3, batch: 10 }, 224, 95).steps).toBe(29);
  expect(() => resolve({ epochs: 3, steps: 10 })).toThrow(/Both steps/);
});

test('the crop is not larger than what a small network was trained on', () => {
  expect(resolve({}, 64).size).toBe(64);
  expect(resolve({ size: 96 }, 64).size).toBe(96);
});

test('a setting given as undefined counts as not given', () => {
  expect(resolve({ batch: undefined, learningRate: undefined })).toMatchObject({
    batch: 32,
    learningRate: 0.001,
  });
});

test('methods are put together in one order whatever the order they are named in, and plain fine-tuning beside them says nothing', () => {
  const { method } = resolve({ method: ['cotuning'] });
  expect(resolve({ method: 'finetune+cotuning' }).method).toEqual(method);
  expect(resolve({ method: [{ name: 'cotuning', trade_off: 1 }] }).method).toEqual([
    { ...method[0], tradeOff: 1 },
  ]);
});

test('more frozen blocks than the network has are refused, and early stopping without validation passes', () => {
  const frozen = (blocks: number) => resolve({ extras: [{ name: 'frozen-blocks', blocks }] });
  expect(frozen(8).extras).toEqual([{ name: 'frozen-blocks', blocks: 8 }]);
  expect(() => frozen(9)).toThrow('frozen-blocks: "blocks" is 9, and the network "m" has 8 blocks.');
  const stopping = (evaluateEvery: number) => resolve({ extras: ['early-stopping'], evaluateEvery });
  expect(stopping(10).extras).toEqual([{ name: 'early-stopping', patience: 3 }]);
  expect(() => stopping(0)).toThrow('there are none before the end');
});

test('a network without what a part needs says so', () => {
  expect(() => resolve({ extras: ['dropout'] })).toThrow('This network has no dropout.');
});

test('an option is found by its own name, or by that of its part', () => {
  const of = (options: Record<string, unknown>) => resolve({ options, extras: 'label-smoothing' });
  expect(of({ 'trade-off': 1 }).method[0].tradeOff).toBe(1);
  expect(of({ 'cotuning.trade_off': 1 }).method[0].tradeOff).toBe(1);
  expect(of({ epsilon: 0.2 }).extras).toEqual([{ name: 'label-smoothing', epsilon: 0.2 }]);
  expect(() => resolve({ optimizer: 'adamw', extras: 'label-smoothing', options: { epsilon: 0.2 } })).toThrow(
    /"epsilon" is an option of label-smoothing and of adamw/,
  );
});

test('a method in closed form has no steps, and says which settings it has no use for', () => {
  const request = { dataset: '1', model: '1', method: 'linear-probe' };
  const plain = resolveRunConfig(request, dataset, model(224), 100);
  expect(plain).toMatchObject({ config: { steps: 0, extras: [], size: 128 }, unused: [] });
  const idle = { steps: 60, learningRate: 0.1, extras: 'mixup', select: 'best' } as const;
  const given = resolveRunConfig({ ...request, ...idle, size: 96 }, dataset, model(224), 100);
  expect(given.config).toEqual({ ...plain.config, size: 96 });
  expect(given.unused.sort()).toEqual(['extras', 'learningRate', 'select', 'steps']);
  expect(() => refuseUnused(given.unused, [given.config])).toThrow(/linear-probe is solved without any/);
});

test('a method in closed form stands alone, and wants a head that is one linear layer', () => {
  expect(() => resolve({ method: 'linear-probe+bss' })).toThrow(/nothing can be put together with it/);
  const squeezenet = { ...model(224), architecture: 'squeezenet1_1' };
  const request = { dataset: '1', model: '1', method: 'lp-ft' };
  expect(() => resolveRunConfig(request, dataset, squeezenet, 100)).toThrow(/head is no linear layer/);
});

test('a method may begin with other learning rates than the preset; what is given goes before', () => {
  expect(resolve({ method: 'lp-ft' })).toMatchObject({ learningRate: 3e-4, headLearningRateMultiplier: 1 });
  expect(resolve({ method: 'lp-ft', learningRate: 0.01 })).toMatchObject({
    learningRate: 0.01,
    headLearningRateMultiplier: 1,
  });
});
