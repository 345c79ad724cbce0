/** One run or long job at a time has the device of a home, whichever process works on it, in the order in which they were asked for. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import { openStore } from '../../src-main/store/store.ts';
import type { Task } from '../../src-shared/contract.ts';
import {
  type Fixture,
  fill,
  finishRun,
  finishTask,
  makeFixture,
  open,
  reachStep,
  request,
  until,
} from './fixture.ts';

let fixture: Fixture;
let app: Service;
let command: Service;
/** What ended, in order; an event may come twice. */
const ends = new Set<string>();
beforeAll(async () => {
  fixture = await makeFixture();
  app = await open(fixture);
  await fill(app, fixture);
  command = await open(fixture, 'own');
  fixture.behave({ stepMs: 10 });
  app.on('run', ({ id, status }) => void (status === 'finished' && ends.add(`run ${id}`)));
  command.on('task', ({ title, status }) => void (status !== 'running' && ends.add(title)));
});
afterAll(async () => {
  await command.close();
  await app.close();
  fixture.remove();
});

const start = async (service: Service, steps = 20) =>
  (await service.call('runs.start', request({ steps }))).id;
const learn = (service: Service, seed = 0) =>
  service.call('relationships.learn', { dataset: 'insects', model: 'tiny', seed });
const waitsFor = (service: Service, { id }: Task, what: string | null) =>
  until(async () => {
    const task = (await service.call('tasks.list', {})).find((one) => one.id === id)!;
    return task.waitsFor === what ? task : undefined;
  });

test('runs and long jobs of two processes take turns as they were asked for, and say what they wait for', async () => {
  const first = await start(app, 60);
  await reachStep(app, first, 1);
  const second = await start(app, 100);
  const ranking = await command.call('models.rank', { dataset: 'insects' });
  await waitsFor(app, ranking, `run ${first}`);
  const third = await start(app);
  expect(await command.call('system.device', {})).toEqual({ holder: { title: `run ${first}`, run: first } });
  await waitsFor(app, ranking, `run ${second}`);
  await finishTask(app, ranking);
  await finishRun(app, third);
  expect([...ends]).toEqual([`run ${first}`, `run ${second}`, 'Ranking for insects', `run ${third}`]);
});

test('what waits can be called off at once; what a person waits for goes beside it', async () => {
  const run = await start(app, 1000);
  await reachStep(app, run, 1);
  const learning = await learn(command);
  const measuring = await app.call('models.measure', { model: 'tiny' });
  await waitsFor(command, learning, `run ${run}`);
  await command.call('tasks.cancel', { task: learning.id });
  expect(await finishTask(app, learning)).toMatchObject({
    status: 'failed',
    waitsFor: null,
    error: { code: 'cancelled' },
  });
  const estimate = await app.call('experiments.estimate', {
    ...{ name: 'plan', dataset: 'insects', model: 'tiny', methods: ['finetune'], rates: [1], seeds: [0] },
    config: { steps: 4 },
  });
  expect(estimate.notes).toEqual([
    `Measured beside run ${run}: with the machine to itself the plan takes less.`,
  ]);
  await app.call('runs.stop', { run });
  expect((await finishTask(app, measuring)).status).toBe('finished');
});

test('a run that learns its own relationship does not wait for itself, nor for one that is asked for meanwhile', async () => {
  const run = (await app.call('runs.start', request({ method: 'cotuning' }))).id;
  const learning = await learn(app, 1);
  expect((await finishRun(app, run)).relationshipId).not.toBeNull();
  expect((await finishTask(app, learning)).status).toBe('finished');
});

test('a process that is gone stands in line no more, and has the device no more', async () => {
  const store = openStore(`${fixture.home}/cotune.sqlite`);
  // No system gives out process ids this high.
  const gone = `${2 ** 30}#gone`;
  store.leases.insert(gone, store.leases.list()[0].place);
  const turn = store.turns.ask(gone, 'the work of a process that is gone', '2000-01-01T00:00:00.000Z');
  // The process of the job before has its turn until it is gone, which is after its answer.
  await vi.waitFor(() => expect(store.turns.begin(turn, gone)).toBe(true), 10_000);
  store.turns.ask(gone, 'more of it', '2000-01-01T00:00:00.000Z');
  const run = await start(app);
  const learning = await learn(command, 2);
  expect((await finishRun(app, run)).status).toBe('finished');
  expect((await finishTask(app, learning)).status).toBe('finished');
  expect(store.turns.has(turn)).toBe(false);
  store.close();
});
