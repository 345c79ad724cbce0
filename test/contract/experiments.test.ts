import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import type { CallInput, ExperimentResults } from '../../src-shared/contract.ts';
import { type Fixture, fill, makeFixture, open, until } from './fixture.ts';

let fixture: Fixture;
let service: Service;
beforeEach(async () => {
  fixture = await makeFixture();
  service = await open(fixture);
  await fill(service, fixture);
});
afterEach(async () => {
  await service.close();
  fixture.remove();
});

const plan = (more: Partial<CallInput<'experiments.start'>> = {}): CallInput<'experiments.start'> => ({
  name: 'plan',
  dataset: 'insects',
  model: 'tiny',
  methods: ['finetune', 'cotuning'],
  rates: [1],
  seeds: [0, 1],
  config: { steps: 8, learningRate: 0.01 },
  search: {},
  ...more,
});

const ended = (experiment: number): Promise<ExperimentResults> =>
  until(async () => {
    const results = await service.call('experiments.get', { experiment });
    return results.state === 'running' ? undefined : results;
  });

test('every method is searched alike on validation, trained with what was chosen, and tested once', async () => {
  fixture.behave({ best: 0.003 });
  const { id } = await service.call('experiments.start', plan());
  const results = await ended(id);
  expect(results).toMatchObject({ state: 'finished', plannedRuns: 22, problem: null });
  expect(results.experiment.runs).toHaveLength(22);
  for (const cell of results.cells) {
    expect(cell.cost.search).toMatchObject({ runs: 9, steps: 6 * 2 + 3 * 4 });
    expect(cell.accuracy?.seeds).toBe(2);
  }
  expect(results.cells.map(({ tried }) => tried.find(({ chosen }) => chosen)?.text)).toEqual([
    'learning rate 0.003',
    'learning rate 0.003, Trade-off λ 0.23',
  ]);
  const runs = await service.call('runs.list', { experiment: id });
  for (const { purpose, test: tested, samples, config } of runs) {
    expect([tested !== null, samples.test > 0]).toEqual(purpose === 'tune' ? [false, false] : [true, true]);
    if (purpose === 'final') expect(config).toMatchObject({ learningRate: 0.003, steps: 8 });
  }
  // Which images train and validate is the same for all: those that search leave the test images alone.
  expect(new Set(runs.filter(({ config }) => config.seed === 0).map(({ splitHash }) => splitHash)).size).toBe(
    1,
  );
  const tuned = runs.find(({ purpose }) => purpose === 'tune')!;
  const predictions = { run: tuned.id, split: 'test' } as const;
  await expect(service.call('runs.evaluation', predictions)).rejects.toMatchObject({ code: 'not-found' });
});

test('a setting that diverges is out; a run that fails is told, and its method goes on once it is tried again', async () => {
  fixture.behave({ best: 0.03, divergesAt: 0.02 });
  const { id } = await service.call('experiments.start', plan({ methods: ['cotuning'], seeds: [0] }));
  const results = await ended(id);
  expect(results.state).toBe('finished');
  expect(
    results.cells[0].tried.map(({ text, rounds }) => [text.slice(0, 19), rounds[0].status]),
  ).toContainEqual(['learning rate 0.03,', 'failed']);
  expect(results.cells[0].tried.find(({ chosen }) => chosen)?.text).toBe(
    'learning rate 0.01, Trade-off λ 0.23',
  );

  fixture.behave({ at: 1, how: 'exit' });
  const broken = await ended((await service.call('experiments.start', plan({ seeds: [0] }))).id);
  expect(broken.state).toBe('incomplete');
  expect(broken.cells.map(({ state }) => state)).toEqual(['broken', 'broken']);
  fixture.behave({});
  await service.call('experiments.resume', { experiment: broken.experiment.id });
  expect((await ended(broken.experiment.id)).state).toBe('finished');
});

test('an experiment outlives its service, and goes on from where it was', async () => {
  fixture.behave({ stepMs: 5 });
  const { id } = await service.call('experiments.start', plan({ methods: ['finetune'] }));
  await until(async () => (await service.call('runs.list', { experiment: id, status: 'finished' }))[3]);
  await service.close();
  fixture.behave({});
  service = await open(fixture);
  const results = await ended(id);
  expect(results.state).toBe('finished');
  expect(results.experiment.runs).toHaveLength(11);
});

test('a stopped experiment leaves the queue, and runs that were deleted are planned anew when it is resumed', async () => {
  fixture.behave({ stepMs: 20 });
  const { id, runs } = await service.call('experiments.start', plan({ methods: ['finetune'], seeds: [0] }));
  expect((await service.call('experiments.stop', { experiment: id })).status).toBe('stopped');
  await until(
    async () =>
      (await service.call('runs.list', { experiment: id, status: 'running' })).length === 0 || undefined,
  );
  expect(await service.call('runs.list', { experiment: id, status: 'queued' })).toEqual([]);
  await service.call('runs.delete', { run: runs[0] });
  fixture.behave({});
  await service.call('experiments.resume', { experiment: id });
  const results = await ended(id);
  expect(results.state).toBe('finished');
  expect(results.experiment.runs).toHaveLength(10);
});

test('what a plan will take is said before it begins: its own runs, at what a short run of each method takes here', async () => {
  const { runs, seconds, peakBytes, methods } = await service.call('experiments.estimate', plan());
  expect(runs).toBe(22);
  expect(peakBytes).toBe(2 ** 30);
  // Fine-tuning: 6 runs of 2 steps and 3 of 4, each with 2 validation images at its end; 2 of 8 steps, which validate after every
  // second step, and test 2 images at their end. Co-tuning prepares for each seed, from 8 + 2 images that both of them have.
  const search = 6 * (3 + 2 * 0.5 + 1.2) + 3 * (3 + 4 * 0.5 + 1.2);
  const final = 2 * (3 + 8 * 0.5 + 3 * 1.2 + 1.4);
  expect(methods.map((method) => method.seconds)).toEqual([
    expect.closeTo(search + final, 6),
    expect.closeTo(search + final + 2 * 2 + 10 * 0.2, 6),
  ]);
  // Besides, all 12 images are decoded for the first time.
  expect(seconds).toBeCloseTo(2 * (search + final) + 6 + 0.12, 6);
  expect(await service.call('runs.list', {})).toEqual([]);
});

test.each([
  ['an option that no method has', { config: { options: { alpha: 1 } } }, /alpha/],
  ['a seed twice', { seeds: [1, 1] }, /"seeds" names a value twice/],
  ['a method twice', { methods: ['finetune', 'finetune'] }, /twice/],
  ['an unknown method', { methods: ['finetun'] }, /finetun/],
  ['a factor of zero', { search: { learningRates: [0] } }, /learningRates/],
])('a plan with %s is refused before anything begins', async (_, more, reason) => {
  const error = await service.call('experiments.start', plan(more)).catch((thrown: Error) => thrown);
  expect((error as Error).message).toMatch(reason);
  expect(await service.call('runs.list', {})).toEqual([]);
});
