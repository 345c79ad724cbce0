import { expect, test } from 'vitest';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { partsUntil } from '../../src-main/backbones/parts.ts';
import { architectureNames } from '../../src-main/backbones/registry.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import type { Network } from '../../src-main/transfer/network.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';

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
