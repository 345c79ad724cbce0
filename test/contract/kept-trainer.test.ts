import { afterEach, beforeEach, expect, test } from 'vitest';
import { openService, type Service } from '../../src-main/service/service.ts';
import type { Run } from '../../src-shared/domain.ts';
import {
  type Fixture,
  fakeTrainer,
  fill,
  finishRun,
  makeFixture,
  reachStep,
  request,
  until,
} from './fixture.ts';
import { processExists } from './process-exists.ts';

let fixture: Fixture;
let service: Service;
/** Every trainer process so far, in the order of their starts. */
let trainers: number[];
beforeEach(async () => {
  trainers = [];
  fixture = await makeFixture();
  service = await openService({
    home: fixture.home,
    spawnTrainer: () => {
      const trainer = fakeTrainer();
      trainers.push(trainer.pid!);
      return trainer;
    },
  });
  await fill(service, fixture);
});
afterEach(async () => {
  await service.close();
  fixture.remove();
});

/** Queues runs that differ in their seed only, all before the first begins. */
async function queue(count: number, more: Parameters<typeof request>[0] = {}): Promise<number[]> {
  const { dataset, model, method, ...config } = request(more);
  const seeds = Array.from({ length: count }, (_, seed) => seed);
  const plan = { name: 'seeds', dataset, model, methods: [method], seeds, config };
  return (await service.call('experiments.start', plan)).runs;
}

const finishAll = (ids: number[]): Promise<Run[]> => Promise.all(ids.map((id) => finishRun(service, id)));
const statuses = (runs: Run[]) => runs.map(({ status }) => status);
const allGone = () => until(() => !trainers.some(processExists) || undefined);

test('queued runs share a trainer process, and end with the numbers that each has alone', async () => {
  const alone: Run[] = [];
  for (let seed = 0; seed < 3; seed++) {
    const { id } = await service.call('runs.start', request({ seed }));
    alone.push(await finishRun(service, id));
    // The idle trainer has gone before the next run begins.
    await allGone();
  }
  expect(trainers).toHaveLength(3);
  const together = await finishAll(await queue(3));
  expect(trainers).toHaveLength(4);
  expect(together.map((run) => run.test)).toEqual(alone.map((run) => run.test));
  for (const [index, run] of together.entries())
    expect(await service.call('runs.metrics', { run: run.id })).toEqual(
      await service.call('runs.metrics', { run: alone[index].id }),
    );
});

test('when the queue is empty, the trainer is gone, and the service does not mind', async () => {
  await finishAll(await queue(2));
  await allGone();
  const { id } = await service.call('runs.start', request());
  expect((await finishRun(service, id)).status).toBe('finished');
});

test('a trainer whose run failed gets no other', async () => {
  fixture.behave({ at: 12, how: 'failed' });
  const runs = await finishAll(await queue(2));
  expect(runs.map(({ error }) => error?.message)).toEqual(Array(2).fill('The loss is NaN at step 3.'));
  expect(trainers).toHaveLength(2);
});

test('a trainer whose run was stopped gets no other', async () => {
  fixture.behave({ stepMs: 20 });
  const [stopped, next] = await queue(2, { steps: 60 });
  await reachStep(service, stopped, 2);
  await service.call('runs.stop', { run: stopped });
  expect((await finishRun(service, stopped)).status).toBe('stopped');
  expect((await finishRun(service, next)).status).toBe('finished');
  expect(trainers).toHaveLength(2);
});

test('a kill in the second run of a trainer fails that run only, at its step; it goes on to the same numbers', async () => {
  const { id } = await service.call('runs.start', request({ seed: 1, steps: 60 }));
  const whole = await finishRun(service, id);
  await allGone();
  fixture.behave({ stepMs: 20 });
  const ids = await queue(3, { steps: 60 });
  await reachStep(service, ids[1], 12);
  expect(trainers).toHaveLength(2);
  process.kill(trainers[1], 'SIGKILL');
  const runs = await finishAll(ids);
  expect(statuses(runs)).toEqual(['finished', 'failed', 'finished']);
  expect(runs[1].error?.message).toBe(
    `The trainer was killed (SIGKILL), by hand or by the system because memory ran out, at step ${runs[1].step}.`,
  );
  expect(runs[1].step).toBeGreaterThanOrEqual(12);
  expect(trainers).toHaveLength(3);
  await service.call('runs.resume', { run: ids[1] });
  expect((await finishRun(service, ids[1])).test).toEqual(whole.test);
});

test('a trainer that dies between two runs costs neither of them anything', async () => {
  fixture.behave({ diesIdle: true });
  const runs = await finishAll(await queue(3));
  expect(statuses(runs)).toEqual(['finished', 'finished', 'finished']);
  expect(trainers).toHaveLength(3);
});

test('a closed service leaves no trainer that works', async () => {
  fixture.behave({ stepMs: 5 });
  const [first, second] = await queue(2);
  await finishRun(service, first);
  await reachStep(service, second, 1);
  await service.close();
  expect(trainers.map(processExists)).toEqual([false]);
});

test.each([1, 2])(
  'a service that is closed at the end of run %d of two leaves no idle trainer',
  async (last) => {
    // Closing waits for it, and kills one that does not leave.
    fixture.behave({ clings: true });
    let closing: Promise<void> | undefined;
    let finished = 0;
    service.on('run', ({ status }) => {
      if (status === 'finished' && ++finished === last) closing = service.close();
    });
    await queue(2);
    await until(() => closing && true);
    await closing;
    expect(trainers.map(processExists)).toEqual([false]);
  },
);
