import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import type { Run } from '../../src-shared/domain.ts';
import { type Fixture, fill, finishRun, makeFixture, open, reachStep, request, until } from './fixture.ts';

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

test('a run goes from request to result, and tells it as it goes', async () => {
  const statuses: string[] = [];
  const steps: number[] = [];
  const phases = new Set<string>();
  service.on('run', (run: Run) => void statuses.push(run.status));
  service.on('run.metrics', ({ step }) => void steps.push(step));
  service.on('run.progress', ({ phase }) => void phases.add(phase));
  const queued = await service.call('runs.start', request());
  expect(queued.status).toBe('queued');
  const run = await finishRun(service, queued.id);
  expect(run).toMatchObject({
    status: 'finished',
    error: null,
    engine: { name: 'cpu', versions: { fake: '1' } },
    phase: 'evaluate',
    step: 20,
    checkpointStep: null,
    samples: { train: 8, val: 2, test: 2 },
  });
  expect(run.test?.accuracy).toBeGreaterThan(0);
  expect(statuses[0]).toBe('queued');
  expect(statuses.at(-1)).toBe('finished');
  expect(steps).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect([...phases]).toEqual(['train', 'evaluate']);
  const metrics = await service.call('runs.metrics', { run: run.id });
  expect(metrics.loss).toHaveLength(20);
  expect(metrics.val_accuracy.map((point) => point.step)).toEqual([10, 20]);
});

test('co-tuning stores the relationship it learned, and a second run of the same inputs reuses it', async () => {
  const first = await finishRun(
    service,
    (await service.call('runs.start', request({ method: 'cotuning' }))).id,
  );
  const second = await finishRun(
    service,
    (await service.call('runs.start', request({ method: [{ name: 'cotuning', tradeOff: 1 }] }))).id,
  );
  const other = await finishRun(
    service,
    (await service.call('runs.start', request({ method: 'cotuning', seed: 1 }))).id,
  );
  expect(first.relationshipId).not.toBeNull();
  expect(second.relationshipId).toBe(first.relationshipId);
  expect(other.relationshipId).not.toBe(first.relationshipId);
  const { relationship, rows } = await service.call('relationships.get', {
    relationship: first.relationshipId!,
    top: 2,
  });
  expect(relationship.targetClasses).toEqual(['bee', 'wasp']);
  expect(rows[0].sources).toHaveLength(2);
  expect(rows[0].entropy).toBeCloseTo(Math.log(3), 5);
});

describe('a trainer that dies', () => {
  test.each([
    ['SIGKILL', /was killed \(SIGKILL\).* at step 12/, /smaller/],
    ['SIGSEGV', /crashed in native code \(SIGSEGV\) at step 12/, /--engine cpu/],
    ['exit', /ended without a result \(exit code 3\) at step 12/, /doctor/],
    ['memory', /ran out of memory at step 12/, /smaller --batch/],
    ['failed', /loss is NaN/, /Lower --lr/],
    ['device', /graphics device was lost/, /--engine cpu/],
  ] as const)(
    'by %s leaves a failed run with the reason, resumable to the same result',
    async (how, reason, hint) => {
      const whole = await finishRun(service, (await service.call('runs.start', request({ seed: 7 }))).id);
      fixture.behave({ at: 12, how, once: true, stepMs: 5 });
      const { id } = await service.call('runs.start', request({ seed: 7 }));
      const failed = await finishRun(service, id);
      expect(failed).toMatchObject({ status: 'failed', checkpointStep: 10 });
      expect(failed.error?.message).toMatch(reason);
      expect(failed.error?.hint).toMatch(hint);
      expect(failed.error?.hint).toContain(`cotune train --resume ${id}`);
      await service.call('runs.resume', { run: id });
      const resumed = await finishRun(service, id);
      expect(resumed.error).toBeNull();
      expect(resumed.test).toEqual(whole.test);
      const metrics = (run: number) => service.call('runs.metrics', { run });
      expect(await metrics(id)).toEqual(await metrics(whole.id));
    },
  );
});

test('a stopped run writes a checkpoint and can be resumed; a second stop says that it is not running', async () => {
  fixture.behave({ stepMs: 20 });
  const { id } = await service.call('runs.start', request({ steps: 200, checkpointEvery: 0 }));
  await reachStep(service, id, 3);
  await service.call('runs.stop', { run: id });
  const stopped = await finishRun(service, id);
  expect(stopped.status).toBe('stopped');
  expect(stopped.checkpointStep).toBeGreaterThanOrEqual(3);
  await expect(service.call('runs.stop', { run: id })).rejects.toMatchObject({ code: 'conflict' });
  fixture.behave({});
  await service.call('runs.resume', { run: id });
  expect((await finishRun(service, id)).status).toBe('finished');
  await expect(service.call('runs.resume', { run: id })).rejects.toMatchObject({ code: 'conflict' });
});

test('runs are worked off one at a time in their order, and a queued one can be taken out', async () => {
  fixture.behave({ stepMs: 5 });
  const running = new Set<number>();
  let most = 0;
  service.on('run', (run) => {
    if (run.status === 'running') running.add(run.id);
    else running.delete(run.id);
    most = Math.max(most, running.size);
  });
  const experiment = await service.call('experiments.start', {
    name: 'plan',
    dataset: 'insects',
    model: 'tiny',
    methods: ['finetune', 'cotuning'],
    seeds: [0, 1],
    config: { steps: 10 },
  });
  expect(experiment.runs).toHaveLength(4);
  await service.call('runs.stop', { run: experiment.runs[2] });
  const runs = await Promise.all(experiment.runs.map((id) => finishRun(service, id)));
  expect(runs.map((run) => run.status)).toEqual(['finished', 'finished', 'stopped', 'finished']);
  expect(runs.map((run) => [run.config.method[0].name, run.config.seed])).toEqual([
    ['finetune', 0],
    ['cotuning', 0],
    ['cotuning', 1],
    ['finetune', 1],
  ]);
  expect(most).toBe(1);
  expect((await service.call('runs.list', { experiment: experiment.id })).map((run) => run.id)).toEqual(
    [...experiment.runs].reverse(),
  );
});

test('deleting a running run ends its trainer and removes its files', async () => {
  fixture.behave({ stepMs: 20, deaf: true });
  const deleted: number[] = [];
  service.on('run.deleted', ({ run }) => void deleted.push(run));
  const { id } = await service.call('runs.start', request({ steps: 1000 }));
  await reachStep(service, id, 6);
  await service.call('runs.delete', { run: id });
  await expect(service.call('runs.get', { run: id })).rejects.toMatchObject({ code: 'not-found' });
  expect(deleted).toEqual([id]);
  const { existsSync } = await import('node:fs');
  expect(existsSync(`${fixture.home}/runs/${id}`)).toBe(false);
  const next = await service.call('runs.start', request({ steps: 3 }));
  expect(next.id).not.toBe(id);
  fixture.behave({});
  await until(async () => (await service.call('runs.get', { run: next.id })).step > 0 || undefined);
});
