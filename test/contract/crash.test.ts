import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import type { Run } from '../../src-shared/domain.ts';
import { type Fixture, fill, finishRun, makeFixture, open, reachStep, request, until } from './fixture.ts';
import { processExists } from './process-exists.ts';

let fixture: Fixture;
const services: Service[] = [];
const children: ChildProcess[] = [];
beforeEach(async () => {
  fixture = await makeFixture();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(services.splice(0).map((service) => service.close()));
  fixture.remove();
});

async function openOne(queue: 'all' | 'own' = 'all'): Promise<Service> {
  const service = await open(fixture, queue);
  services.push(service);
  return service;
}

const closeOne = (service: Service) => services.splice(services.indexOf(service), 1)[0].close();

/** Another process with a service on the same home, working on runs of so many steps. */
async function elsewhere(steps: number, runs = 1): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./service-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, fixture.home, String(steps), String(runs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('a service killed in the middle of a run', () => {
  test('leaves it failed with the reason at the next open, resumable to the same result', async () => {
    const before = await openOne();
    await fill(before, fixture);
    const whole = await finishRun(before, (await before.call('runs.start', request({ steps: 40 }))).id);
    fixture.behave({ stepMs: 20 });
    await closeOne(before);
    const child = await elsewhere(40);
    const reader = await openOne('own');
    await reachStep(reader, whole.id + 1, 12);
    await closeOne(reader);
    await kill(child);

    const after = await openOne();
    const run = await after.call('runs.get', { run: whole.id + 1 });
    expect(run.status).toBe('failed');
    expect(run.error?.message).toBe(
      `The service (process ${child.pid}) ended while the run was at step ${run.step}.`,
    );
    expect(run.error?.hint).toBe(
      `Go on from step ${run.checkpointStep} with: cotune train --resume ${run.id}`,
    );
    fixture.behave({});
    await after.call('runs.resume', { run: run.id });
    const resumed = await finishRun(after, run.id);
    expect(resumed.test).toEqual(whole.test);
    expect(await after.call('runs.metrics', { run: run.id })).toEqual(
      await after.call('runs.metrics', { run: whole.id }),
    );
  });

  test('leaves no trainer behind: it ends with the channel to its service', async () => {
    const before = await openOne();
    await fill(before, fixture);
    await closeOne(before);
    fixture.behave({ stepMs: 20 });
    const child = await elsewhere(5000);
    const trainer = await until(() => {
      const file = join(fixture.home, 'cache', 'trainer.pid');
      return existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined;
    });
    expect(processExists(trainer)).toBe(true);
    await kill(child);
    await until(() => !processExists(trainer) || undefined);
  });

  test('is noticed by another service that is open already, which goes on with the queue', async () => {
    // It takes no queued runs of others at first, or it might take the one that the other process is to begin.
    const before = await openOne('own');
    await fill(before, fixture);
    fixture.behave({ stepMs: 20 });
    const child = await elsewhere(1000, 2);
    await until(async () => (await before.call('runs.list', {})).length === 2 || undefined);
    const [second, first] = await before.call('runs.list', {});
    await reachStep(before, first.id, 2);
    await closeOne(before);
    const service = await openOne();
    await kill(child);
    const failed = await finishRun(service, first.id);
    expect(failed.error?.message).toContain(`process ${child.pid}`);
    fixture.behave({});
    await reachStep(service, second.id, 1);
    await service.call('runs.delete', { run: second.id });
  });
});

test('the queue survives a restart: a closed service leaves its run in it, and the next goes on from there', async () => {
  const first = await openOne();
  await fill(first, fixture);
  const whole = await finishRun(first, (await first.call('runs.start', request({ steps: 30 }))).id);
  fixture.behave({ stepMs: 20 });
  const { id } = await first.call('runs.start', request({ steps: 30 }));
  const { id: waiting } = await first.call('runs.start', request({ steps: 5, seed: 1 }));
  await reachStep(first, id, 3);
  await closeOne(first);
  fixture.behave({});

  const idle = await openOne('own');
  const queued = await idle.call('runs.get', { run: id });
  expect(queued.status).toBe('queued');
  expect(queued.checkpointStep).toBeGreaterThanOrEqual(3);
  await new Promise((wake) => setTimeout(wake, 600));
  expect((await idle.call('runs.get', { run: id })).status).toBe('queued');

  await idle.call('runs.resume', { run: id });
  expect((await finishRun(idle, id)).test).toEqual(whole.test);
  expect((await idle.call('runs.get', { run: waiting })).status).toBe('queued');
  const worker = await openOne();
  expect((await finishRun(worker, waiting)).status).toBe('finished');
});

test('a run that somebody stopped and whose program is closed at once stays stopped', async () => {
  const service = await openOne();
  await fill(service, fixture);
  fixture.behave({ stepMs: 50 });
  const { id } = await service.call('runs.start', request({ steps: 1000 }));
  await reachStep(service, id, 2);
  await service.call('runs.stop', { run: id });
  await closeOne(service);
  const after = await openOne('own');
  expect((await after.call('runs.get', { run: id })).status).toBe('stopped');
});

describe('two services on one home', () => {
  test('see each other’s runs, metrics, datasets and deletions as events', async () => {
    const [here, there] = [await openOne(), await openOne()];
    const seen = { runs: new Set<string>(), steps: new Set<number>(), changed: 0, deleted: [] as number[] };
    there.on('run', (run: Run) => void seen.runs.add(run.status));
    there.on('run.metrics', ({ step }) => void seen.steps.add(step));
    there.on('datasets.changed', () => void seen.changed++);
    there.on('run.deleted', ({ run }) => void seen.deleted.push(run));
    await fill(here, fixture);
    await until(() => seen.changed > 0 || undefined);
    fixture.behave({ stepMs: 50 });
    const { id } = await here.call('runs.start', request({ steps: 30 }));
    await finishRun(there, id);
    await until(() => seen.runs.has('finished') || undefined);
    expect([...seen.runs]).toEqual(expect.arrayContaining(['running', 'finished']));
    expect(seen.steps.size).toBeGreaterThan(10);
    await here.call('runs.delete', { run: id });
    await until(() => seen.deleted.includes(id) || undefined);
  });

  test('can stop and delete each other’s runs', async () => {
    const here = await openOne('own');
    await fill(here, fixture);
    fixture.behave({ stepMs: 20 });
    await elsewhere(2000, 2);
    await until(async () => (await here.call('runs.list', {})).length === 2 || undefined);
    const [second, first] = await here.call('runs.list', {});
    await reachStep(here, first.id, 1);
    await here.call('runs.stop', { run: first.id });
    expect((await finishRun(here, first.id)).status).toBe('stopped');
    await reachStep(here, second.id, 1);
    await here.call('runs.delete', { run: second.id });
    await expect(here.call('runs.get', { run: second.id })).rejects.toMatchObject({ code: 'not-found' });
  });

  test('never run more than one run at a time', async () => {
    const [here, there] = [await openOne(), await openOne()];
    await fill(here, fixture);
    fixture.behave({ stepMs: 5 });
    const ids: number[] = [];
    for (const [i, service] of [here, there, here, there].entries()) {
      ids.push((await service.call('runs.start', request({ steps: 15, seed: i }))).id);
    }
    let most = 0;
    await until(async () => {
      const runs = await here.call('runs.list', {});
      most = Math.max(most, runs.filter((run) => run.status === 'running').length);
      return runs.every((run) => run.status === 'finished') || undefined;
    });
    expect(most).toBe(1);
  });
});
