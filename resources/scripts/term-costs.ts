/**
 * What methods and options add to a training step on this machine, for docs/performance.md.
 *
 * node_modules/.bin/node resources/scripts/term-costs.ts [ARCHITECTURE [BATCH [SIZE [ROUNDS]]]]
 *
 * One step of each after the other, so that all meet the same machine; prints medians in milliseconds, the median of the ratios to
 * plain fine-tuning's step of the same round, and their quartiles. On made-up images, weights and prepared values.
 */
import { createBackbone } from '../../src-main/backbones/index.ts';
import { randomWeights } from '../../src-main/bench/random-network.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { feedsAt } from '../../src-main/transfer/feeds.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';
import type { Part } from '../../src-shared/domain.ts';

const [architecture = 'mobilenet_v2', ...numbers] = process.argv.slice(2);
const [batch = 32, size = 128, rounds = 20] = numbers.map(Number);

const plain: Part[] = [{ name: 'finetune' }];
const arms: Record<string, [method: Part[], extras: Part[]]> = {
  finetune: [plain, []],
  'finetune, again': [plain, []],
  'l2-sp': [[{ name: 'l2-sp' }], []],
  'label-smoothing': [plain, [{ name: 'label-smoothing' }]],
  delta: [[{ name: 'delta' }], []],
  bss: [[{ name: 'bss' }], []],
};

const backbone = createBackbone({ architecture, padding: 'symmetric', width: 1 });
const network = { backbone, batchNormEpsilon: 1e-5, sourceClasses: 1000, targetClasses: 100 };
const images = Float32Array.from({ length: batch * size * size * 3 }, (_, at) => 2 * Math.sin(at * 12.9898));
const labels = Int32Array.from({ length: batch }, (_, i) => i % network.targetClasses);
const engine = await openEngine('cpu');

const steps = [];
for (const [name, [method, extras]] of Object.entries(arms)) {
  const optimizer = optimizerOf({ name: 'sgd' });
  const chosen = { terms: termsOf(method, extras), optimizer, batch, size, headLearningRateMultiplier: 10 };
  const program = trainingProgram(network, chosen);
  const executable = await engine.compile(program);
  await executable.load(initialState(program, network, randomWeights(network), 0));
  const step = (at: number) => executable.run({ images, labels, ...feedsAt(at, 0, network, chosen, rounds) });
  steps.push({ name, step, milliseconds: [] as number[] });
}

const warmUp = 2;
for (let round = -warmUp; round < rounds; round++)
  for (const { step, milliseconds } of steps) {
    const started = performance.now();
    await step(round + warmUp);
    if (round >= 0) milliseconds.push(performance.now() - started);
  }

const quantile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.round(share * (values.length - 1))];
for (const { name, milliseconds } of steps) {
  const ratios = milliseconds.map((one, round) => one / steps[0].milliseconds[round]);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(3));
  console.log(`${name}: ${quantile(milliseconds, 0.5).toFixed(0)} ms, ${middle} (${low} to ${high})`);
}
process.exit(0);
