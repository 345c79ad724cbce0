/** A dataset that is an archive: imported, shown, trained on and checked without being unpacked beside it. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forkTrainer } from '../../src-main/service/fork-trainer.ts';
import type { Service } from '../../src-main/service/service.ts';
import { openService } from '../../src-main/service/service.ts';
import { tarFile } from '../unit/tar-file.ts';
import { zipFile } from '../unit/zip-file.ts';
import { fill, finishRun, finishTask, makeFixture, open, request } from './fixture.ts';

let fixture: Awaited<ReturnType<typeof makeFixture>>;
let service: Service;
beforeAll(async () => {
  fixture = await makeFixture(8);
  const names = ['bee', 'wasp'].flatMap((name) =>
    readdirSync(join(fixture.images, name)).map((file) => `${name}/${file}`),
  );
  const entries = names.map((name) => ({ name, data: readFileSync(join(fixture.images, name)) }));
  writeFileSync(join(fixture.root, 'set.tar'), tarFile(entries));
  writeFileSync(join(fixture.root, 'set.tgz'), gzipSync(tarFile(entries)));
  service = await openService({ home: fixture.home, spawnTrainer: forkTrainer(), queue: 'all' });
  await fill(service, fixture);
});
afterAll(async () => {
  await service.close();
  fixture.remove();
});

const small = (dataset: string) => ({
  ...request({ dataset, steps: 2, checkpointEvery: 0, evaluateEvery: 0 }),
  size: 32,
  batch: 2,
});

const imported = async (file: string, name: string) => {
  const task = await service.call('datasets.import', { path: join(fixture.root, file), name });
  expect(await finishTask(service, task)).toMatchObject({ status: 'finished' });
  return service.call('datasets.get', { dataset: name });
};

test('an archive is imported, shown and trained on where it is, packed or not', async () => {
  const folder = await service.call('datasets.get', { dataset: 'insects' });
  for (const file of ['set.tar', 'set.tgz']) {
    const dataset = await imported(file, file);
    expect(dataset).toMatchObject({
      path: fixture.root,
      file,
      format: { name: 'folders' },
      hash: folder.hash,
    });
    const { samples } = await service.call('datasets.samples', { dataset: file, limit: 1 });
    const [{ id, path, hash }] = samples;
    const full = await service.picture(id, 'full');
    expect(createHash('sha256').update(full.data).digest('hex')).toBe(hash);
    expect(Buffer.from(full.data)).toEqual(readFileSync(join(fixture.images, path)));
    expect((await service.picture(id, 'thumb')).contentType).toBe('image/webp');
    // What was unpacked may go at any time.
    rmSync(join(fixture.home, 'cache'), { recursive: true });
    expect(Buffer.from((await service.picture(id, 'full')).data)).toEqual(Buffer.from(full.data));
  }
  rmSync(join(fixture.home, 'cache'), { recursive: true });
  const { id } = await service.call('runs.start', small('set.tgz'));
  expect(await finishRun(service, id)).toMatchObject({ status: 'finished', error: null });
  expect(existsSync(join(fixture.root, 'bee'))).toBe(false);
});

test('an archive that was touched is looked at again; one that changed ends a run before it begins', async () => {
  await service.close();
  service = await open(fixture);
  const path = join(fixture.root, 'set.tar');
  const before = new Date(Date.now() - 60_000);
  utimesSync(path, before, before);
  const { id: touched } = await service.call('runs.start', small('set.tar'));
  expect(await finishRun(service, touched)).toMatchObject({ status: 'finished' });
  const bytes = readFileSync(path);
  bytes[512 + 100] ^= 1;
  writeFileSync(path, bytes);
  const { id } = await service.call('runs.start', small('set.tar'));
  const run = await finishRun(service, id);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'conflict' } });
  expect(run.error?.message).toContain('bee/0.png has different content');
});

test('an archive that is unpacked on request is the same dataset, in the data folder, without its archive', async () => {
  const archive = join(fixture.root, 'own.tgz');
  const entry = (name: string, data = readFileSync(join(fixture.images, name))) => ({ name, data });
  const names = (n: number) =>
    ['bee', 'wasp'].flatMap((name) => [...Array(n).keys()].map((i) => `${name}/${i}.png`));
  const pack = (n: number) =>
    writeFileSync(archive, gzipSync(tarFile([...names(n).map((name) => entry(name)), link])));
  const link = { name: 'bee/link.png', type: '2', target: '/etc/passwd' };
  pack(5);
  const before = await imported('own.tgz', 'own');
  const { samples } = await service.call('datasets.samples', { dataset: 'own' });
  const unpack = (name = 'own') => service.call('datasets.import', { path: archive, name, unpack: true });
  expect(await finishTask(service, await unpack())).toMatchObject({ status: 'finished' });
  const after = await service.call('datasets.get', { dataset: 'own' });
  expect(after).toMatchObject({ hash: before.hash, file: null });
  expect(dirname(after.path)).toBe(join(fixture.home, 'datasets'));
  const kept = await service.call('datasets.samples', { dataset: 'own' });
  expect(kept.samples.map(({ id }) => id)).toEqual(samples.map(({ id }) => id));
  // What is left out is named as before, the next time too, and nothing else was written.
  const leftOut = async () =>
    (await service.call('datasets.findings', { dataset: 'own', kind: 'unsupported' })).findings.map(
      ({ path }) => path,
    );
  expect(await leftOut()).toEqual(['bee/link.png']);
  expect(readdirSync(join(fixture.home, 'cache', 'unpacking'))).toEqual([]);

  // Once unpacked it stays so, and follows its archive.
  pack(6);
  expect(await imported('own.tgz', 'own')).toMatchObject({ path: after.path, counts: { test: 2 } });
  expect(await leftOut()).toEqual(['bee/link.png']);
  rmSync(archive);
  rmSync(join(fixture.home, 'cache', 'unpacked'), { recursive: true });
  const run = await finishRun(service, (await service.call('runs.start', small('own'))).id);
  expect(run).toMatchObject({ status: 'finished', error: null });
  expect((await service.picture(samples[0].id, 'full')).data.length).toBeGreaterThan(0);
});

test('what is made to fill disks or to write elsewhere is not unpacked, and leaves nothing', async () => {
  const [data, wasp] = ['bee', 'wasp'].map((name) => readFileSync(join(fixture.images, name, '0.png')));
  const image = { name: 'bee/0.png', data };
  const bad: Record<string, [Buffer, RegExp]> = {
    'slip.tar': [tarFile([image, { name: '../out.png', data }]), /leads out/],
    'bomb.zip': [
      zipFile([
        image,
        { name: 'bee/1.png', data: deflateRawSync(Buffer.alloc(2 ** 26)), method: 8, size: 2 ** 26 },
      ]),
      /as no images do/,
    ],
    'liar.zip': [
      zipFile([
        image,
        { name: 'bee/1.png', data: deflateRawSync(Buffer.alloc(2 ** 20)), method: 8, size: 100 },
      ]),
      /not as large as/,
    ],
  };
  for (const [file, [bytes, why]] of Object.entries(bad)) {
    writeFileSync(join(fixture.root, file), bytes);
    const input = { path: join(fixture.root, file), name: 'bad', unpack: true };
    const { status, error } = await finishTask(service, await service.call('datasets.import', input));
    expect([file, status, error?.message]).toEqual([file, 'failed', expect.stringMatching(why)]);
  }
  const folder = { path: fixture.images, name: 'bad', unpack: true };
  expect(await finishTask(service, await service.call('datasets.import', folder))).toMatchObject({
    error: { message: expect.stringMatching(/holds no archive/) },
  });
  expect(existsSync(join(fixture.root, 'out.png'))).toBe(false);
  expect(readdirSync(join(fixture.home, 'cache/unpacking'))).toEqual([]);

  writeFileSync(join(fixture.root, 'good.zip'), zipFile([image, { name: 'wasp/0.png', data: wasp }]));
  const there = () => readdirSync(join(fixture.home, 'datasets')).length;
  const before = there();
  const good = { path: join(fixture.root, 'good.zip'), name: 'good', unpack: true };
  await finishTask(service, await service.call('datasets.import', good));
  expect(there()).toBe(before + 1);
  await service.call('datasets.delete', { dataset: 'good' });
  expect(there()).toBe(before);
});
