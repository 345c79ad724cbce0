import { expect, test } from 'vitest';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { feedsAt } from '../../src-main/transfer/feeds.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import { anchorName, trainingProgram } from '../../src-main/transfer/training-program.ts';
import type { Part } from '../../src-shared/domain.ts';

const backbone = createBackbone({ architecture: 'mobilenet_v2', padding: 'symmetric', width: 0.1 });
const network = { backbone, batchNormEpsilon: 1e-5, sourceClasses: 3, targetClasses: 3 };

/** Three steps of a small network: what its tensors were, and what they became. */
async function threeSteps(method: Part[], extras: Part[] = []) {
  const chosen = {
    terms: termsOf(method, extras),
    optimizer: optimizerOf({ name: 'sgd' }),
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
  const before = initialState(program, network, weights, 0);
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
  const extras = [{ name: 'mixup' }, { name: 'label-smoothing' }];
  const [one, other] = [await threeSteps(method, extras), await threeSteps(method, extras)];
  const { name } = backbone.tensors[0];
  expect(one.after[anchorName(name)]).toEqual(one.before[name]);
  expect(one.after).not.toHaveProperty(anchorName('target.weight'));
  expect(other.after).toEqual(one.after);
});
