import { expect, test } from 'vitest';
import { createBackbone } from '../../src-main/backbones/index.ts';
import type { Arrays } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { feedsAt } from '../../src-main/transfer/feeds.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import { anchorName } from '../../src-main/transfer/step-plan.ts';
import { ownName, type Preparation } from '../../src-main/transfer/term.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';
import type { Part } from '../../src-shared/domain.ts';

const networkOf = (architecture: string, width: number) => ({
  backbone: createBackbone({ architecture, padding: 'symmetric', width }),
  ...{ batchNormEpsilon: 1e-5, sourceClasses: 3, targetClasses: 3 },
});
const network = networkOf('resnet18', 1 / 16);
const { backbone } = network;

/** Three steps of a small network: what its tensors were, and what they became. */
async function threeSteps(
  method: Part[],
  extras: Part[] = [],
  trainingImages = [2, 1, 1],
  optimizer: Part = { name: 'sgd' },
) {
  const chosen = {
    terms: termsOf(method, extras),
    optimizer: optimizerOf(optimizer),
    ...{ batch: 4, size: 32, headLearningRateMultiplier: 10 },
  };
  const program = trainingProgram(network, chosen);
  const weights = Object.fromEntries(
    Object.entries(program.state).map(([name, { shape }]) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => 0.1 + ((at * 7) % 13) / 20),
    ]),
  );
  const own = Object.keys(program.state).filter((name) => name.includes('/'));
  for (const name of own) delete weights[name];
  const prepared: Arrays = {};
  for (const one of chosen.terms) {
    const preparation = { network, seed: 0, trainingImages } as unknown as Preparation;
    const made = await one.term.prepare?.(preparation, one.options);
    for (const [name, values] of Object.entries(made?.state ?? {})) prepared[ownName(one, name)] = values;
    Object.assign(prepared, made?.network);
  }
  const before = initialState(program, network, weights, 0, prepared);
  const engine = await openEngine('cpu');
  const executable = await engine.compile(program);
  await executable.load(structuredClone(before));
  for (let step = 0; step < 3; step++)
    await executable.run({
      images: Float32Array.from({ length: 4 * 32 * 32 * 3 }, (_, at) => ((at * 31) % 17) / 8 - 1),
      labels: Int32Array.of(0, 1, 2, 0),
      ...feedsAt(step, 0.01, network, chosen, 5),
    });
  const after = await executable.read();
  await engine.dispose();
  return { before, after };
}

const changed = ({ before, after }: Awaited<ReturnType<typeof threeSteps>>, name: string) =>
  after[name].some((value, at) => value !== before[name][at]);

test('BitFit leaves every filter and matrix of the backbone as it was, and trains vectors and the head', async () => {
  const steps = await threeSteps([{ name: 'bitfit' }]);
  for (const { name, kind } of backbone.tensors)
    expect([name, changed(steps, name)]).toEqual([name, kind === 'vector' || kind === 'running']);
  expect(changed(steps, 'target.weight')).toBe(true);
});

test('frozen batch norm leaves the running statistics as they were, and trains everything else', async () => {
  const steps = await threeSteps([{ name: 'finetune' }], [{ name: 'frozen-batch-norm' }]);
  for (const { name, kind } of backbone.tensors)
    if (kind === 'running') expect([name, changed(steps, name)]).toEqual([name, false]);
  expect(changed(steps, 'target.weight')).toBe(true);
});

test('anchors of L2-SP stay what training began with, and two runs of one seed are the same to the bit', async () => {
  const method = [{ name: 'l2-sp' }];
  const extras = [{ name: 'mixup' }, { name: 'cutmix' }, { name: 'label-smoothing' }];
  const [one, other] = [await threeSteps(method, extras), await threeSteps(method, extras)];
  const { name } = backbone.tensors[0];
  expect(one.after[anchorName(name)]).toEqual(one.before[name]);
  expect(one.after).not.toHaveProperty(anchorName('target.weight'));
  expect(other.after).toEqual(one.after);
});

test('layer-wise rates leave early stages nearly as they were where the decay is steep; heads keep their rate', async () => {
  const [{ term, options }] = termsOf([], [{ name: 'layer-decay', decay: 0.5 }]);
  const rateOf = (name: string) => term.rate!(name, network, options);
  expect(backbone.stages.map(([first]) => rateOf(`${first}.weight`))).toEqual(
    [5, 4, 3, 2, 1].map((power) => 0.5 ** power),
  );
  expect([rateOf('target.weight'), rateOf(`${backbone.head}.weight`)]).toEqual([1, 1]);
  // 1e-11 times a gradient is less than what a float32 about 0.1 can be told apart by.
  const steps = await threeSteps([{ name: 'finetune' }], [{ name: 'layer-decay', decay: 1e-9 }]);
  for (const { name, kind } of backbone.tensors)
    if (kind !== 'running') expect([name, changed(steps, name)]).toEqual([name, false]);
  expect(changed(steps, 'target.weight')).toBe(true);
});

test('a clipped step moves no further than rate times bound', async () => {
  const norm = 1e-3;
  const { before, after } = await threeSteps(
    [{ name: 'finetune' }],
    [{ name: 'gradient-clipping', norm }],
    undefined,
    { name: 'sgd', momentum: 0, weightDecay: 0 },
  );
  const moved = backbone.tensors
    .filter(({ kind }) => kind !== 'running')
    .map(({ name }) => name)
    .concat('target.weight', 'target.bias')
    .flatMap((name) => Array.from(after[name], (value, at) => value - before[name][at]));
  const distance = Math.hypot(...moved);
  // Three steps, the head's rate ten times 0.01; what a float32 about 0.5 rounds is far below.
  expect(distance).toBeGreaterThan(0);
  expect(distance).toBeLessThan(3 * 10 * 0.01 * norm * 1.01);
});

test('class weights change what is learned where classes differ in size, and nothing where they do not', async () => {
  const method = [{ name: 'finetune' }];
  const bias = async (extras: Part[], images?: number[]) =>
    (await threeSteps(method, extras, images)).after['target.bias'];
  const weights = [{ name: 'class-weights' }];
  const plain = await bias([]);
  expect(await bias(weights, [3, 3, 3])).toEqual(plain);
  expect(await bias(weights, [9, 3, 1])).not.toEqual(plain);
});

test('training from scratch begins with weights of He’s deviation, drawn from the seed, in place of the pre-trained ones', async () => {
  const [{ term, options }] = termsOf([{ name: 'scratch' }]);
  const withDepthwise = networkOf('mobilenet_v2', 0.1);
  const drawn = async (seed: number, of = withDepthwise) =>
    (await term.prepare!({ network: of, seed } as Preparation, options)).network!;
  const weights = await drawn(1);
  const { tensors } = withDepthwise.backbone;
  expect(Object.keys(weights)).toEqual(tensors.map(({ name }) => name));
  for (const { name, kind, shape } of tensors) {
    const values = weights[name] as Float32Array;
    if (kind === 'vector' || kind === 'running') {
      expect([name, new Set(values)]).toEqual([name, new Set([/(weight|running_var)$/.test(name) ? 1 : 0])]);
      continue;
    }
    const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    const expected = 2 / (shape[2] * shape[3] * (kind === 'depthwise' ? 1 : shape[0]));
    // A variance of n normal numbers has the standard error √(2 / n).
    expect(Math.abs(variance / expected - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
  }
  expect(await drawn(1)).toEqual(weights);
  expect((await drawn(2))[tensors[0].name]).not.toEqual(weights[tensors[0].name]);

  const { before } = await threeSteps([{ name: 'scratch' }]);
  const { name } = backbone.tensors[0];
  expect(before[name]).toEqual((await drawn(0, network))[name]);
});
