import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { operatorTimes } from '../../src-main/bench/operator-times.ts';
import { plainNetwork, randomWeights } from '../../src-main/bench/random-network.ts';
import { benchStep } from '../../src-main/bench/step.ts';
import { stepProgram } from '../../src-main/bench/step-program.ts';
import { benchStore } from '../../src-main/service/bench-store.ts';
import type { StepWork } from '../../src-main/trainer/protocol.ts';
import { inverted, spreadOf } from '../../src-shared/spread.ts';

// Recorded with ONNX Runtime 1.30 from four runs of exp(exp(a b) b), arguments shortened.
const profile = readFileSync(new URL('../fixtures/profile.json', import.meta.url), 'utf8');

const closeTo = (value: number) => expect.closeTo(value, 9);

test('operator times are those of one run after the skipped ones, the longest first', () => {
  // Microseconds of the third and fourth run, added up by hand: 29 + 27, 22 + 25, 9 + 9.
  expect(operatorTimes(profile, 2, 1)).toEqual([
    { operator: 'Reshape', count: 5, ms: closeTo(0.028), share: closeTo(56 / 121) },
    { operator: 'Gemm', count: 2, ms: closeTo(0.0235), share: closeTo(47 / 121) },
    { operator: 'Exp', count: 2, ms: closeTo(0.009), share: closeTo(18 / 121) },
  ]);
  const [gemm] = operatorTimes(profile, 0, 1);
  expect(gemm).toEqual({ operator: 'Gemm', count: 2, ms: closeTo(0.04275), share: expect.any(Number) });
});

test('operator times of steps of several runs are those of one step', () => {
  expect(operatorTimes(profile, 1, 2)[1]).toEqual({
    operator: 'Gemm',
    count: 4,
    ms: closeTo(0.047),
    share: closeTo(47 / 121),
  });
});

test('a run that the profile breaks off in is left out', () => {
  const events = JSON.parse(profile) as { name: string }[];
  const last = events.findLastIndex(({ name }) => name === 'model_run');
  const broken = JSON.stringify(events.toSpliced(last, 1));
  expect(operatorTimes(broken, 2, 1)[1]).toMatchObject({ operator: 'Gemm', count: 2, ms: closeTo(0.022) });
});

test('a profile without further runs has no operators', () => {
  expect(operatorTimes(profile, 4, 1)).toEqual([]);
});

test('a spread has the middle, and rates have theirs from the seconds', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 });
  expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, low: 1, high: 4 });
  expect(inverted({ median: 2, low: 1, high: 4 }, (seconds) => 8 / seconds)).toEqual({
    median: 4,
    low: 2,
    high: 8,
  });
});

test('random weights are the same at every call: kernels of variance 2 / fan-in, batch norm the identity', () => {
  const network = plainNetwork('resnet18');
  const weights = randomWeights(network);
  const kernel = weights['layer1.0.conv1.weight'] as Float32Array;
  expect(randomWeights(network)['layer1.0.conv1.weight']).toEqual(kernel);
  const variance = kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length;
  // 36,864 uniform draws: the variance has a relative deviation of √(0.8 / 36,864) = 0.5 %.
  expect(variance / (2 / (9 * 64))).toBeCloseTo(1, 1);
  expect(new Set(weights['bn1.weight'])).toEqual(new Set([1]));
  expect(new Set(weights['bn1.running_var'])).toEqual(new Set([1]));
  expect(new Set(weights['bn1.bias'])).toEqual(new Set([0]));
  expect(new Set(weights['fc.bias'])).toEqual(new Set([0]));
  expect(weights['fc.weight']).toHaveLength(512_000);
});

const work: StepWork = {
  what: 'infer',
  model: 'mobilenet_v2',
  network: 'mobilenet_v2',
  batch: 1,
  size: 32,
  steps: 1,
  engine: 'cpu',
  profile: false,
  frozen: 0,
};

test.each([
  [1, 1, 1],
  [16, 1, 16],
  [32, 2, 16],
  [40, 3, 14],
])('%i images are inferred as evaluations do it: in %i passes of %i', (batch, passes, atOnce) => {
  const step = stepProgram({ ...work, batch }, 'mobilenet_v2');
  expect(step.passes).toBe(passes);
  expect(step.program.batch.images.shape[0]).toBe(atOnce);
  expect(step.batch.images).toHaveLength(atOnce * 32 * 32 * 3);
});

test('a bench ends where its listener says so', async () => {
  const steps: number[] = [];
  const bench = benchStep({ ...work, steps: 100 }, (done) => {
    steps.push(done);
    if (done === 3) throw new Error('enough');
  });
  await expect(bench).rejects.toThrow('enough');
  expect(steps).toEqual([1, 2, 3]);
});

test('a profile of too many steps is refused', async () => {
  await expect(benchStep({ ...work, steps: 21, profile: true })).rejects.toMatchObject({
    code: 'bad-input',
    hint: 'Take at most 20 steps.',
  });
});

test('the store is measured while a second connection writes', async () => {
  const rounds: number[] = [];
  const bench = await benchStore(
    { steps: 20, samples: 30, targets: 3, rounds: 2 },
    (done) => rounds.push(done),
    new AbortController().signal,
  );
  expect(rounds).toEqual([0, 1, 2]);
  for (const spread of [bench.metric_rows_per_s, bench.prediction_rows_per_s, bench.history_read_s])
    expect(spread.low).toBeGreaterThan(0);
});

test('a bench of the store stops between rounds', async () => {
  const stopping = new AbortController();
  const bench = benchStore(
    { steps: 1, samples: 1, targets: 2, rounds: 50 },
    (done) => done === 1 && stopping.abort(new Error('stopped')),
    stopping.signal,
  );
  await expect(bench).rejects.toThrow('stopped');
});
