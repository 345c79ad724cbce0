import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import {
  type Fixture,
  fill,
  finishRun,
  finishTask,
  makeFixture,
  open,
  request,
  writeWeights,
} from './fixture.ts';

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

const importAgain = async (path = fixture.images) =>
  finishTask(service, await service.call('datasets.import', { path, name: 'insects' }));
const start = async (more = {}) => finishRun(service, (await service.call('runs.start', request(more))).id);
const allSamples = async () => (await service.call('datasets.samples', { dataset: 'insects' })).samples;

test('a run on images that are gone or different since the import fails, naming them, and works after a new import', async () => {
  const [missing, other] = await allSamples();
  rmSync(join(fixture.images, missing.path));
  const bytes = readFileSync(join(fixture.images, other.path));
  // The same size, another content: only a hash tells.
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(join(fixture.images, other.path), bytes);
  // As from a file server whose clock is late: its time of change lies before the import.
  const late = new Date(Date.now() - 3_600_000);
  utimesSync(join(fixture.images, other.path), late, late);
  const failed = await start();
  expect(failed.status).toBe('failed');
  expect(failed.error?.code).toBe('conflict');
  expect(failed.error?.message).toContain(`2 of 12 images in ${fixture.images} changed since the import`);
  expect(failed.error?.message).toContain(`${missing.path} is missing`);
  expect(failed.error?.message).toContain(`${other.path} has different content`);
  expect(failed.error?.hint).toContain('Import the folder again');
  rmSync(join(fixture.images, other.path));
  await importAgain();
  await service.call('runs.resume', { run: failed.id });
  const resumed = await finishRun(service, failed.id);
  expect(resumed).toMatchObject({ status: 'finished', error: null });
  expect(resumed.samples.train + resumed.samples.val + resumed.samples.test).toBe(10);
});

test('a run that was half trained is not continued on other images', async () => {
  fixture.behave({ at: 12, how: 'exit', once: true });
  const failed = await start();
  copyFileSync(join(fixture.images, 'bee/0.png'), join(fixture.images, 'bee/new.png'));
  await importAgain();
  await service.call('runs.resume', { run: failed.id });
  const again = await finishRun(service, failed.id);
  expect(again.status).toBe('failed');
  expect(again.error?.message).toContain('imported again with other images');
});

test('a checkpoint that is not whole is passed over for the one before', async () => {
  const whole = await start({ seed: 3 });
  fixture.behave({ at: 12, how: 'exit', once: true });
  const failed = await start({ seed: 3 });
  appendFileSync(join(fixture.home, 'runs', String(failed.id), '1', 'checkpoint-10.safetensors'), ' more');
  await service.call('runs.resume', { run: failed.id });
  const resumed = await finishRun(service, failed.id);
  expect(resumed.test).toEqual(whole.test);
  const [metrics, expected] = await Promise.all(
    [failed.id, whole.id].map((run) => service.call('runs.metrics', { run })),
  );
  expect(metrics).toEqual(expected);
});

test('checkpoints that no service lived to record are taken up with what was said before them; nothing is trained again', async () => {
  const whole = await start({ seed: 3 });
  fixture.behave({ at: 12, how: 'exit', once: true });
  const failed = await start({ seed: 3 });
  await service.close();
  const database = new Database(join(fixture.home, 'cotune.sqlite'));
  for (const table of ['checkpoints', 'metrics'])
    database.prepare(`DELETE FROM ${table} WHERE run_id = ?`).run(failed.id);
  database.close();
  service = await open(fixture);
  const trained: number[] = [];
  service.on('run.metrics', ({ step }) => trained.push(step));
  await service.call('runs.resume', { run: failed.id });
  const resumed = await finishRun(service, failed.id);
  expect(Math.min(...trained)).toBe(11);
  expect(resumed.test).toEqual(whole.test);
  expect(await service.call('runs.metrics', { run: failed.id })).toEqual(
    await service.call('runs.metrics', { run: whole.id }),
  );
});

test('importing again keeps the ids of unchanged images and says what changed', async () => {
  const before = await allSamples();
  copyFileSync(join(fixture.images, 'bee/0.png'), join(fixture.images, 'bee/new.png'));
  rmSync(join(fixture.images, 'wasp/0.png'));
  await importAgain();
  const dataset = await service.call('datasets.get', { dataset: 'insects' });
  expect(dataset.notes.join(' ')).toMatch(/Since the last import.*1.*added.*1.*removed/);
  const after = new Map((await allSamples()).map((sample) => [sample.path, sample.id]));
  for (const { path, id } of before) if (path !== 'wasp/0.png') expect(after.get(path)).toBe(id);
  const { samples } = await service.call('datasets.samples', { dataset: 'insects', withFindings: true });
  expect(samples.map((sample) => sample.path)).toContain('bee/new.png');
});

test('a folder that is imported under another name, too, is the same dataset there, and nothing has changed in it', async () => {
  await finishTask(service, await service.call('datasets.import', { path: fixture.images, name: 'again' }));
  const of = (dataset: string) => service.call('datasets.get', { dataset });
  const [first, second] = [await of('insects'), await of('again')];
  expect(second).toMatchObject({ hash: first.hash, classes: first.classes, findings: first.findings });
  expect(second.notes.join(' ')).not.toContain('last import');
});

test('a folder that moved is found again under its name; a name of another folder is not taken', async () => {
  const other = await makeFixture(3);
  const taken = service.call('datasets.import', { path: other.images, name: 'insects' });
  await expect(taken).rejects.toMatchObject({ code: 'conflict' });
  const moved = join(fixture.root, 'moved here');
  renameSync(fixture.images, moved);
  await importAgain(moved);
  expect((await service.call('datasets.get', { dataset: 'insects' })).path).toBe(moved);
  expect((await start()).status).toBe('finished');
  other.remove();
});

test('a folder with nothing to import leaves a failed task with the reason, and the dataset as it was', async () => {
  const before = await service.call('datasets.get', { dataset: 'insects' });
  for (const name of ['bee', 'wasp']) rmSync(join(fixture.images, name), { recursive: true });
  const task = await importAgain();
  expect(task).toMatchObject({ status: 'failed', result: null });
  expect(task.error?.message).toContain(fixture.images);
  expect(await service.call('datasets.get', { dataset: 'insects' })).toEqual(before);
});

test('the history of a deleted dataset stays: predictions and pictures of its images', async () => {
  const run = await start();
  await service.call('datasets.delete', { dataset: 'insects' });
  expect(await service.call('datasets.list', {})).toEqual([]);
  expect((await service.call('runs.get', { run: run.id })).datasetId).toBeNull();
  const { total, predictions } = await service.call('runs.predictions', { run: run.id });
  expect(total).toBe(2);
  expect((await service.picture(predictions[0].sample.id, 'full')).contentType).toBe('image/png');
  await service.call('runs.delete', { run: run.id });
  await expect(service.picture(predictions[0].sample.id, 'full')).rejects.toMatchObject({
    code: 'not-found',
  });
});

test('datasets and models that a queued or running run needs are not deleted', async () => {
  fixture.behave({ stepMs: 20 });
  const { id } = await service.call('runs.start', request({ steps: 1000 }));
  await expect(service.call('datasets.delete', { dataset: 'insects' })).rejects.toMatchObject({
    code: 'conflict',
  });
  await expect(service.call('models.delete', { model: 'tiny' })).rejects.toMatchObject({ code: 'conflict' });
  await service.call('runs.delete', { run: id });
  expect(await service.call('models.delete', { model: 'tiny' })).toEqual({ ok: true });
});

test('a model’s weights are kept, so that the file it came from may go, and go with the last model that has them', async () => {
  const { hash } = await service.call('models.add', { path: fixture.weights, name: 'twin' });
  rmSync(fixture.weights);
  expect((await start()).status).toBe('finished');
  const kept = join(fixture.home, 'models', `${hash}.safetensors`);
  await service.call('models.delete', { model: 'tiny' });
  expect(existsSync(kept)).toBe(true);
  await service.call('models.delete', { model: 'twin' });
  expect(existsSync(kept)).toBe(false);
});

test('a model’s name is not taken over by other weights', async () => {
  const other = join(fixture.root, 'other.safetensors');
  writeWeights(other, 0.25);
  await expect(service.call('models.add', { path: other, name: 'tiny' })).rejects.toMatchObject({
    code: 'conflict',
  });
  const again = await service.call('models.add', { path: fixture.weights, name: 'tiny' });
  expect((await service.call('models.list', {})).map((model) => model.id)).toEqual([again.id]);
});
