/** Files from anywhere are read in a process of their own, which may die of them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { placeOfFile } from '../../src-main/data/locator.ts';
import { forkReader } from '../../src-main/service/fork-reader.ts';
import { openReader, type Reader } from '../../src-main/service/reader.ts';
import { openService } from '../../src-main/service/service.ts';
import { scene, temporaryFolder } from '../unit/pictures.ts';
import { fakeTrainer, finishTask, makeFixture } from './fixture.ts';

const fakeReader = forkReader(fileURLToPath(new URL('./fake-reader.ts', import.meta.url)));
const opened: Reader[] = [];
const open = (...args: Parameters<typeof openReader>): Reader => {
  const reader = openReader(...args);
  opened.push(reader);
  return reader;
};
afterAll(() => Promise.all(opened.map((reader) => reader.close())));

const ask = (reader: Reader, name: string, folder = '/data') =>
  reader.read('picture', { place: placeOfFile(`${folder}/${name}`), size: 'thumb' }, folder).then(
    ({ hash }) => `read ${hash}`,
    (error: Error) => error.message,
  );

test('a file that ends its reader is told with the reason; what was read beside it is read all the same', async () => {
  const reader = open(fakeReader, { timeMs: 1500 });
  const names = ['a', 'crash', 'b', 'bloat', 'c', 'hang', 'd', 'e'];
  expect(await Promise.all(names.map((name) => ask(reader, name)))).toEqual([
    'read a',
    'the process that read it crashed (SIGSEGV)',
    'read b',
    expect.stringMatching(/^the process that read it took more than [\d.]+ GiB of memory$/),
    'read c',
    'the process that read it took longer than 1.5 s',
    'read d',
    'read e',
  ]);
});

test('files of many folders at once are read by at most four processes, each folder by one', async () => {
  let processes = 0;
  let most = 0;
  let started = 0;
  const reader = open((...args) => {
    started++;
    most = Math.max(most, ++processes);
    const process = fakeReader(...args);
    process.onExit(() => processes--);
    return process;
  });
  const pieces = Array.from({ length: 60 }, (_, i) => ask(reader, `${i}`, `/data/${i % 6}`));
  expect(await Promise.all(pieces)).toEqual(Array.from({ length: 60 }, (_, i) => `read ${i}`));
  expect(started).toBe(6);
  expect(most).toBeLessThanOrEqual(4);
});

test('a reader with nothing to do ends, and the next file gets a new one', async () => {
  let ended = 0;
  const reader = open(
    (...args) => {
      const process = fakeReader(...args);
      process.onExit(() => ended++);
      return process;
    },
    { idleMs: 50 },
  );
  expect(await ask(reader, 'a')).toBe('read a');
  await expect.poll(() => ended).toBe(1);
  expect(await ask(reader, 'b')).toBe('read b');
});

test('closing ends what is under way, and what comes after is refused', async () => {
  const reader = openReader(fakeReader);
  const pieces = ['hang', 'hang', 'hang', 'hang', 'hang', 'hang'].map((name) => ask(reader, name));
  await reader.close();
  const closed = 'The service was closed before this was read.';
  expect(await Promise.all([...pieces, ask(reader, 'a')])).toEqual(Array(7).fill(closed));
});

test('where no reader can be started, that is what is said, not that a file is broken', async () => {
  const reader = open(fakeReader, { maxBytes: 1 });
  const error = await reader
    .read('picture', { place: placeOfFile('/data/a'), size: 'thumb' }, '/data')
    .catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('no such library') });
});

test('the real reader sees the folder it reads from, links included, and nothing else of the person’s', async () => {
  const root = temporaryFolder();
  const image = await scene(1, 64, 48).png().toBuffer();
  for (const folder of ['inside', 'outside']) {
    mkdirSync(join(root, folder));
    writeFileSync(join(root, folder, 'a.png'), image);
  }
  symlinkSync(join(root, 'outside', 'a.png'), join(root, 'inside', 'link.png'));
  symlinkSync(join(root, 'inside'), join(root, 'by-link'));
  const reader = open(forkReader());
  const facts = (path: string, folder: string) =>
    reader.read('image-facts', { place: placeOfFile(join(root, path)) }, join(root, folder)).then(
      ({ facts: { width, height } }) => [width, height],
      (error: NodeJS.ErrnoException) => error.code,
    );
  expect(await facts('inside/a.png', 'inside')).toEqual([64, 48]);
  expect(await facts('inside/link.png', 'inside')).toEqual([64, 48]);
  expect(await facts('by-link/a.png', 'by-link')).toEqual([64, 48]);
  expect(await facts('outside/a.png', 'inside')).toBe('ERR_ACCESS_DENIED');
});

test('a real reader over its bound of memory ends', async () => {
  const reader = open(forkReader(), { maxBytes: 2 ** 20 });
  const root = temporaryFolder();
  // Large enough to be under way when the reader looks at its memory, fifty times a second.
  const pixels = await scene(1, 5000, 5000).png({ compressionLevel: 1 }).toBuffer();
  writeFileSync(join(root, 'a.png'), pixels);
  expect(await ask(reader, 'a.png', root)).toMatch(/took more than/);
});

test('an import names the image that ended its reader and goes on', async () => {
  const fixture = await makeFixture(4);
  const service = await openService({
    home: fixture.home,
    spawnTrainer: fakeTrainer,
    // As a decoder would that crashes on what the file holds.
    spawnReader: (...args) => {
      const process = forkReader()(...args);
      const send = process.send;
      process.send = (request) =>
        'place' in request.input && request.input.place.locator.file === 'wasp/2.png'
          ? process.kill()
          : send(request);
      return process;
    },
  });
  const task = await service.call('datasets.import', { path: fixture.images, name: 'insects' });
  expect(await finishTask(service, task)).toMatchObject({ status: 'finished' });
  const { counts } = await service.call('datasets.get', { dataset: 'insects' });
  const { findings } = await service.call('datasets.findings', { dataset: 'insects' });
  expect(counts.train + counts.test).toBe(7);
  expect(findings).toMatchObject([
    {
      kind: 'broken',
      path: 'wasp/2.png',
      detail: expect.stringContaining('the process that read it was killed'),
    },
  ]);
  await service.close();
  fixture.remove();
});

test('the service itself loads no decoder', () => {
  const program = `
    await import(${JSON.stringify(new URL('../../src-main/service/service.ts', import.meta.url).href)});
    console.log(JSON.stringify(process.report.getReport().sharedObjects));`;
  const text = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  const libraries = (JSON.parse(text) as string[]).filter((path) => /sharp|vips/.test(path));
  expect(libraries).toEqual([]);
});
