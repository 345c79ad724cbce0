/** A dataset that is an archive: imported, shown, trained on and checked without being unpacked beside it. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forkTrainer } from '../../src-main/service/fork-trainer.ts';
import type { Service } from '../../src-main/service/service.ts';
import { openService } from '../../src-main/service/service.ts';
import { tarFile } from '../unit/tar-file.ts';
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
