import { expect, test } from 'vitest';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { partsUntil } from '../../src-main/backbones/parts.ts';
import { architectureNames } from '../../src-main/backbones/registry.ts';
import { normalOf, randomOf } from '../../src-main/data/random.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { frozenStage } from '../../src-main/transfer/frozen-prefix.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import type { Network } from '../../src-main/transfer/network.ts';
import type { FrozenPrefix } from '../../src-main/transfer/step-plan.ts';
import { tappedProgram } from '../../src-main/transfer/tapped-program.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';
import { untrainedWeights } from '../../src-main/transfer/untrained-weights.ts';

test.each(architectureNames())('every tensor of %s belongs to one stage', (architecture) => {
  const { stages, tensors } = createBackbone({ architecture, padding: 'symmetric', width: 1 });
  expect(stages).toHaveLength(5);
  for (const { name } of tensors)
    expect(stages.flat().filter((owner) => name === owner || name.startsWith(`${owner}.`))).toHaveLength(1);
});

test('frozen stages keep weights and statistics to the bit; the others learn', async () => {
  const backbone = createBackbone({ architecture: 'mobilenet_v2', padding: 'symmetric', width: 0.1 });
  const network: Network = { backbone, batchNormEpsilon: 1e-5, sourceClasses: 3, targetClasses: 3 };
  const program = trainingProgram(network, {
    batch: 4,
    size: 32,
    optimizer: optimizerOf({ name: 'sgd' }),
    headLearningRateMultiplier: 10,
    terms: termsOf([], [{ name: 'frozen-blocks', blocks: partsUntil(backbone, 2) }]),
  });
  const weights = Object.fromEntries(
    Object.entries(program.state).map(([name, { shape }]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, Float32Array.from({ length: size }, (_, at) => 0.1 + ((at * 7) % 13) / 20)];
    }),
  );
  const before = initialState(program, network, weights, 0);
  const engine = await openEngine('cpu');
  const executable = await engine.compile(program);
  await executable.load(structuredClone(before));
  await executable.run({
    images: Float32Array.from({ length: 4 * 32 * 32 * 3 }, (_, at) => ((at * 31) % 17) / 8 - 1),
    labels: Int32Array.of(0, 1, 2, 0),
    learning_rate: Float32Array.of(0.1),
  });
  const after = await executable.read();
  await engine.dispose();

  const frozen = backbone.stages.slice(0, 3).flat();
  for (const { name } of backbone.tensors) {
    const isFrozen = frozen.some((prefix) => name.startsWith(`${prefix}.`));
    expect([name, after[name].every((value, at) => value === before[name][at])]).toEqual([name, isFrozen]);
    if (isFrozen) expect(program.state).not.toHaveProperty(`momentum/${name}`);
  }
});

test('a step fed with what frozen stages made of the images is the step that sees the images', async () => {
  const backbone = createBackbone({ architecture: 'mobilenet_v2', padding: 'symmetric', width: 0.1 });
  const network: Network = { backbone, batchNormEpsilon: 1e-5, sourceClasses: 3, targetClasses: 3 };
  const terms = termsOf([], [{ name: 'frozen-blocks', blocks: partsUntil(backbone, 2) }]);
  const options = {
    ...{ batch: 4, size: 64, optimizer: optimizerOf({ name: 'sgd' }), headLearningRateMultiplier: 10 },
    terms,
  };
  const stage = frozenStage(network, options)!;
  expect(stage).toBe(2);
  const normals = (name: string) => {
    const random = randomOf(3, name);
    return () => normalOf(random);
  };
  const weights = untrainedWeights(backbone.tensors, normals);
  const start = initialState(trainingProgram(network, options), network, weights, 0);
  const images = Float32Array.from({ length: 4 * 64 * 64 * 3 }, (_, at) => ((at * 31) % 17) / 8 - 1);
  const fed = { labels: Int32Array.of(0, 1, 2, 0), learning_rate: Float32Array.of(0.1) };
  const engine = await openEngine('cpu');
  const stepped = async (prefix: FrozenPrefix | null, input: Float32Array) => {
    const executable = await engine.compile(trainingProgram(network, { ...options, prefix }));
    await executable.load(structuredClone(start));
    const outputs = await executable.run({ images: input, ...fed });
    return { outputs, after: await executable.read() };
  };
  let shape: number[] = [];
  const prefix = await engine.compile(
    tappedProgram(network, [backbone.taps[stage]], options, (_, [, ...ofImage]) => {
      shape = ofImage;
    }),
  );
  await prefix.load(Object.fromEntries(backbone.tensors.map(({ name }) => [name, start[name].slice()])));
  const { stage2: value } = await prefix.run({ images });
  const [whole, rest] = [
    await stepped(null, images),
    await stepped({ stage, shape }, value as Float32Array<ArrayBuffer>),
  ];
  await engine.dispose();
  expect(shape).toEqual([8, 8, backbone.stageChannels[2]]);
  // The same sums in another order.
  expect(rest.outputs.loss[0]).toBeCloseTo(whole.outputs.loss[0], 5);
  for (const [name, values] of Object.entries(whole.after)) {
    const largest = (values as Float32Array).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    for (const [at, x] of rest.after[name].entries())
      expect(Math.abs(x - values[at])).toBeLessThanOrEqual(1e-4 * largest);
  }
});

test('stages run before training only where nothing in a step looks into them', () => {
  const backbone = createBackbone({ architecture: 'mobilenet_v2', padding: 'symmetric', width: 0.1 });
  const network: Network = { backbone, batchNormEpsilon: 1e-5, sourceClasses: 3, targetClasses: 3 };
  const frozen = { name: 'frozen-blocks', blocks: partsUntil(backbone, 1) };
  const stageWith = (method: { name: string }[], extras: { name: string }[] = []) =>
    frozenStage(network, { terms: termsOf(method, [frozen, ...extras]) });
  expect(stageWith([{ name: 'cotuning' }], [{ name: 'label-smoothing' }])).toBe(1);
  for (const name of ['delta', 'lwf', 'bi-tuning'])
    expect([name, stageWith([{ name }])]).toEqual([name, null]);
  expect(stageWith([], [{ name: 'mixup' }])).toBeNull();
  expect(frozenStage(network, { terms: termsOf([{ name: 'finetune' }]) })).toBeNull();
});
