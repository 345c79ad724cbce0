/** What is found out about models: by a hub, by measuring, by ranking; and that all of it can be called off. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import type { CallInput } from '../../src-shared/contract.ts';
import { type LocalHub, startLocalHub } from '../local-hub.ts';
import { type Fixture, fill, finishTask, makeFixture, open } from './fixture.ts';

let fixture: Fixture;
let service: Service;
let hub: LocalHub;
beforeAll(async () => {
  fixture = await makeFixture();
  service = await open(fixture);
  await fill(service, fixture);
  const config = { label_names: ['ant', 'bee', 'cat'], pretrained_cfg: { input_size: [3, 64, 64] } };
  hub = await startLocalHub({
    weights: readFileSync(fixture.weights),
    config: Buffer.from(JSON.stringify(config)),
    token: 'secret',
  });
});
afterAll(async () => {
  hub.close();
  await service.close();
  fixture.remove();
});
const fetched = async (more: Partial<CallInput<'models.fetch'>> = {}) =>
  finishTask(
    service,
    await service.call('models.fetch', {
      repository: 'timm/net',
      endpoint: hub.endpoint,
      token: 'secret',
      ...more,
    }),
  );

test('a repository becomes a model with its class names and preprocessing', async () => {
  const task = await fetched();
  expect(task).toMatchObject({ kind: 'download', status: 'finished', error: null });
  const models = await service.call('models.list', {});
  expect(models.find(({ id }) => id === task.result)).toMatchObject({
    name: 'net',
    sourceClasses: ['ant', 'bee', 'cat'],
    preprocessing: { inputSize: 64 },
  });
});

test('a hub that is not there, and one that wants a token, are failures with what to do', async () => {
  expect((await fetched({ endpoint: 'http://127.0.0.1:1' })).error).toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining('Check the network'),
  });
  expect((await fetched({ token: undefined })).error?.hint).toContain('token');
});

test('a cancelled download ends, and the next one goes on from what has arrived', async () => {
  hub.ranges.length = 0;
  let begun = () => {};
  const arriving = new Promise<void>((resolve) => {
    begun = resolve;
  });
  hub.moods.push((_, response) => {
    response.writeHead(200);
    response.write(readFileSync(fixture.weights).subarray(0, 10_000), () => setTimeout(begun, 50));
  });
  const started = await service.call('models.fetch', {
    repository: 'timm/net',
    name: 'again',
    endpoint: hub.endpoint,
    token: 'secret',
  });
  await arriving;
  await service.call('tasks.cancel', { task: started.id });
  expect(await finishTask(service, started)).toMatchObject({
    status: 'failed',
    error: { code: 'cancelled' },
  });
  expect((await fetched({ name: 'again' })).status).toBe('finished');
  expect(hub.ranges).toEqual([undefined, 'bytes=10000-']);
});

test('a measurement is kept with every model of the same weights, the last of each machine', async () => {
  for (let round = 0; round < 2; round++)
    await finishTask(service, await service.call('models.measure', { model: 'tiny' }));
  const tiny = (await service.call('models.list', {})).filter(
    ({ name }) => name === 'tiny' || name === 'net',
  );
  expect(tiny).toHaveLength(2);
  for (const { measurements } of tiny)
    expect(measurements).toMatchObject([
      { machine: hostname(), trainingImagesPerS: 10, inferenceImagesPerS: 30, trainingBytes: 100e6 },
    ]);
});

test('a ranking is there when the home is opened again', async () => {
  const task = await finishTask(service, await service.call('models.rank', { dataset: 'insects' }));
  await service.close();
  service = await open(fixture);
  const ranking = await service.call('rankings.get', { ranking: task.result! });
  expect(ranking).toMatchObject({ dataset: 'insects', rate: 1 });
  const [{ values }] = ranking.models;
  // What the trainer says nothing of has no value.
  expect(values).toMatchObject({ leep: { value: -1, low: -1.1, high: -0.9 }, nce: null });
});
