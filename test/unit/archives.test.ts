import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { listImages } from '../../src-main/data/list-images.ts';
import type { Locator } from '../../src-main/data/locator.ts';
import { readLocated } from '../../src-main/data/read-located.ts';
import { resolvePlace } from '../../src-main/data/unpacked.ts';
import { importFolder } from './import-in-process.ts';
import { classOf, jpeg, temporaryFolder, writeFiles } from './pictures.ts';
import { type TarEntry, tarFile } from './tar-file.ts';
import { type ZipMember, zipFile } from './zip-file.ts';

type Files = Record<string, string | Uint8Array>;
const bytesOf = (content: string | Uint8Array): Uint8Array => Buffer.from(content);
const tarOf = (files: Files, top = ''): Buffer =>
  tarFile(Object.entries(files).map(([name, content]) => ({ name: top + name, data: bytesOf(content) })));
const zipOf = (files: Files, top = ''): Buffer =>
  zipFile(
    Object.entries(files).map(([name, content]): ZipMember => {
      const data = bytesOf(content);
      return { name: top + name, data: deflateRawSync(data), size: data.length, method: 8 };
    }),
  );
const dataset = async (): Promise<Files> => ({
  ...(await classOf('train/cat', 3, 0)),
  ...(await classOf('train/dog', 3, 10)),
  ...(await classOf('test/cat', 2, 20)),
  'train/cat/notes.txt': 'x',
  '._x': 'of a system',
  'README.txt': 'a set',
});

test('the same images in a folder, a tar, a zip, a packed tar, and archives in archives are one dataset', async () => {
  const files = await dataset();
  const folder = temporaryFolder();
  writeFiles(join(folder, 'plain'), files);
  const { hash, samples } = await importFolder(join(folder, 'plain'), { seed: 0 });
  const packed: Record<string, Buffer> = {
    'a.tar': tarOf(files),
    'dotted.tar': tarOf(files, './'),
    'topped.tar': tarOf(files, 'birds/'),
    'a.zip': zipOf(files),
    'stored.zip': zipFile(
      Object.entries(files).map(([name, content]) => ({ name: `birds/${name}`, data: bytesOf(content) })),
    ),
    'a.tgz': gzipSync(tarOf(files)),
    'b.tar.gz': gzipSync(tarOf(files, 'birds/')),
  };
  for (const [file, bytes] of Object.entries(packed)) {
    writeFileSync(join(folder, file), bytes);
    const found = await importFolder({ folder, file }, { seed: 0 });
    expect(found.issues, file).toEqual([]);
    expect(found.hash, file).toBe(hash);
    expect(found.samples.map(({ path }) => path)).toEqual(samples.map(({ path }) => path));
    expect(found.samples[0].locator, file).toMatchObject({ file });
  }
  // Archives that lie in an archive: stored, deflated, and packed once more.
  const [train, rest] = [true, false].map((of) =>
    Object.fromEntries(Object.entries(files).filter(([name]) => name.startsWith('train/') === of)),
  );
  const inner = { 'train.tar.gz': gzipSync(tarOf(train)), 'test.tar': tarOf(rest) };
  for (const [file, bytes] of Object.entries({ 'in.zip': zipOf(inner), 'in.tar': tarOf(inner) })) {
    writeFileSync(join(folder, file), bytes);
    const found = await importFolder({ folder, file }, { seed: 0 });
    expect(found.samples.map(({ hash }) => hash).sort(), file).toEqual(
      samples.map(({ hash }) => hash).sort(),
    );
  }
});

test('archives in a folder are looked into where no images lie beside them, and not unpacked there', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'train.tar': tarOf(await classOf('cat', 3, 0)),
    'test.tgz': gzipSync(tarOf(await classOf('test/cat', 2, 10))),
  });
  const { samples, notes } = await importFolder(folder, { seed: 0 });
  expect(samples.map(({ path, split }) => `${split} ${path}`)).toEqual([
    'test test/cat/0.jpg',
    'test test/cat/1.jpg',
    'train train/cat/0.jpg',
    'train train/cat/1.jpg',
    'train train/cat/2.jpg',
  ]);
  expect(notes).toEqual(['There is only one class, cat: nothing to tell apart.']);
  expect(readdirSync(folder).sort()).toEqual(['test.tgz', 'train.tar']);
  writeFiles(folder, await classOf('train/dog', 3, 30));
  const beside = await importFolder(folder, { seed: 0 });
  expect(beside.classes).toEqual(['dog']);
  expect(beside.notes.join()).toContain('test.tgz and 1 more archives lie beside images');
});

test('an import of an archive that did not change reads nothing of it again', async () => {
  const folder = temporaryFolder();
  const files = await dataset();
  writeFiles(folder, { 'a.tar': tarOf(files) });
  await new Promise((wake) => setTimeout(wake, 80));
  const first = await importFolder({ folder, file: 'a.tar' }, { seed: 0 });
  const marked = { ...first, samples: first.samples.map((sample) => ({ ...sample, width: 1 })) };
  const again = await importFolder({ folder, file: 'a.tar' }, { seed: 0, previous: marked });
  expect(new Set(again.samples.map(({ width }) => width))).toEqual(new Set([1]));
  writeFiles(folder, { 'a.tar': tarOf({ ...files, 'train/dog/new.jpg': await jpeg(90) }) });
  await new Promise((wake) => setTimeout(wake, 80));
  const changed = await importFolder({ folder, file: 'a.tar' }, { seed: 0, previous: marked });
  expect(changed.samples.map(({ width }) => width)).toEqual(Array(9).fill(96));
  expect(changed.notes.join()).toContain('1 added, 0 changed, 0 removed');
});

test('long names, in both ways that archives have them, and the classes of their images', async () => {
  const folder = temporaryFolder();
  const long = `${'a long folder/'.repeat(12)}cat`;
  const data = await jpeg(1);
  const pax = `path=${long}/2.jpg\n`;
  const record = `${pax.length + 4} ${pax}`;
  const entries: TarEntry[] = [
    { name: '././@LongLink', type: 'L', data: Buffer.from(`${long}/1.jpg\0`) },
    { name: 'cut', data },
    { name: 'PaxHeader', type: 'x', data: Buffer.from(record) },
    { name: 'cut', data: await jpeg(2) },
    { name: 'dog/', type: '5' },
    { name: 'dog/1.jpg', data: await jpeg(3) },
  ];
  writeFiles(folder, { 'a.tar': tarFile(entries) });
  const found: string[] = [];
  await listImages({ folder, file: 'a.tar' }, {}, folder, (images) => {
    for (const { path } of images) found.push(path);
  });
  expect(found).toEqual([`${long}/1.jpg`, `${long}/2.jpg`, 'dog/1.jpg']);
});

const evil: [what: string, file: string, bytes: () => Buffer, reason: RegExp][] = [
  ...[
    '../../escape.jpg',
    '/etc/escape.jpg',
    'C:\\escape.jpg',
    'a/../../escape.jpg',
    'http://host/escape.jpg',
    '..\\escape.jpg',
  ].flatMap((name): typeof evil => [
    [name, 'a.tar', () => tarFile([{ name, data: Buffer.from('x') }]), /leads out of it/],
    [name, 'a.zip', () => zipFile([{ name, data: Buffer.from('x') }]), /leads out of it/],
  ]),
  ['cut off', 'a.tar', () => tarOf({ 'cat/a.jpg': Buffer.alloc(5000, 1) }).subarray(0, 3000), /cut off/],
  ['cut off', 'a.zip', () => zipOf({ 'cat/a.jpg': Buffer.alloc(5000, 1) }).subarray(0, 60), /cut off/],
  [
    'cut off',
    'a.tgz',
    () => gzipSync(tarOf({ 'cat/a.jpg': Buffer.alloc(5000, 1) })).subarray(0, 60),
    /damaged or cut off/,
  ],
  ['a size that no file has', 'a.tar', () => tarFile([{ name: 'a.jpg', size: 2 ** 32 }]), /cut off/],
  ['no archive', 'a.tar', () => Buffer.alloc(2048, 7), /no header/],
  [
    'a name twice',
    'a.zip',
    () =>
      zipFile([
        { name: 'a', data: Buffer.from('x') },
        { name: 'a', data: Buffer.from('y') },
      ]),
    /stands twice/,
  ],
  ['a bomb', 'a.tgz', () => gzipSync(Buffer.alloc(2 ** 25)), /unpacks to more than/],
];

test.each(evil)('an archive with %s is refused with the reason: %s', async (_, file, bytes, reason) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in', file), bytes());
  const failed = importFolder({ folder: join(folder, 'in'), file }, { seed: 0 });
  await expect(failed).rejects.toMatchObject({ code: 'bad-input', message: expect.stringMatching(reason) });
  expect(readdirSync(folder)).toEqual(['in']);
  expect(readdirSync(join(folder, 'in'))).toEqual([file]);
});

test('members that are no files, encrypted, or inflate to more than images do are named and left out', async () => {
  const folder = temporaryFolder();
  const good = await classOf('cat', 3, 0);
  const entries: TarEntry[] = [
    ...Object.entries(good).map(([name, content]) => ({ name, data: bytesOf(content) })),
    { name: 'cat/link.jpg', type: '2', target: 'cat/0.jpg' },
    { name: 'cat/pipe.jpg', type: '6' },
    { name: 'cat/early.jpg', type: '1', target: 'cat/last.jpg' },
  ];
  writeFiles(folder, { 'a.tar': tarFile(entries) });
  const tar = await importFolder({ folder, file: 'a.tar' }, { seed: 0 });
  expect(tar.issues.map(({ path, detail }) => `${path}: ${detail}`)).toEqual([
    'cat/early.jpg: it is a link to cat/last.jpg, which does not stand before it in the archive',
    'cat/link.jpg: it is a link, and those in archives are not followed',
    'cat/pipe.jpg: it is no file',
  ]);
  // Ten gigabytes by what it says, and one that says less than it holds.
  const bomb = deflateRawSync(Buffer.alloc(2 ** 20));
  const members: ZipMember[] = [
    ...Object.entries(good).map(([name, content]) => ({ name, data: bytesOf(content) })),
    { name: 'cat/bomb.jpg', data: bomb, method: 8, size: 4_000_000_000 },
    { name: 'cat/liar.jpg', data: bomb, method: 8, size: 100 },
    { name: 'cat/odd.jpg', data: bomb, method: 14 },
  ];
  writeFiles(folder, { 'a.zip': zipFile(members) });
  const zip = await importFolder({ folder, file: 'a.zip' }, { seed: 0 });
  expect(zip.samples).toHaveLength(3);
  expect(zip.issues.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'huge cat/bomb.jpg',
    'broken cat/liar.jpg',
    'unsupported cat/odd.jpg',
  ]);
});

test('a hard link in a tar is the file that it is one with, and its size is not taken for bytes that follow', async () => {
  const folder = temporaryFolder();
  const [first, second] = [await jpeg(1), await jpeg(2)];
  const long = `cat/${'long '.repeat(30)}.jpg`;
  const entries: TarEntry[] = [
    { name: 'cat/1.jpg', data: first },
    { name: 'dog/same.jpg', type: '1', target: 'cat/1.jpg', size: first.length },
    { name: '././@LongLink', type: 'L', data: Buffer.from(`${long}\0`) },
    { name: 'cut', data: second },
    { name: '././@LongLink', type: 'K', data: Buffer.from(`${long}\0`) },
    { name: 'dog/long.jpg', type: '1', target: 'cut' },
  ];
  writeFiles(folder, { 'a.tar': tarFile(entries) });
  const bytes = new Map<string, Buffer>();
  await listImages({ folder, file: 'a.tar' }, {}, folder, async (images) => {
    for (const { path, locator } of images) bytes.set(path, readFileAt(join(folder, 'a.tar'), locator!));
  });
  expect(Object.fromEntries(bytes)).toEqual({
    'cat/1.jpg': first,
    'dog/same.jpg': first,
    [long]: second,
    'dog/long.jpg': second,
  });
});

function readFileAt(path: string, { part }: Locator): Buffer {
  if (part?.kind !== 'range') throw new Error('no range');
  return readFileSync(path).subarray(part.offset, part.offset + part.bytes);
}

test('a locator gives a piece of a file, three planes as a picture, and what is not there as a problem', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.bin'), Buffer.from([9, 1, 2, 3, 4, 10, 20, 30, 40, 100, 110, 120, 130]));
  const read = (locator: Locator) => readLocated(resolvePlace({ folder, locator }, folder));
  expect([...(await read({ file: 'a.bin', part: { kind: 'range', offset: 1, bytes: 3 } }))]).toEqual([
    1, 2, 3,
  ]);
  const bitmap = await read({ file: 'a.bin', part: { kind: 'planes', offset: 1, width: 2, height: 2 } });
  // Blue, green, red; rows padded to four bytes.
  expect([...bitmap.subarray(54)]).toEqual([100, 10, 1, 110, 20, 2, 0, 0, 120, 30, 3, 130, 40, 4, 0, 0]);
  await expect(read({ file: 'a.bin', part: { kind: 'range', offset: 10, bytes: 9 } })).rejects.toThrow(
    'cut off',
  );
  await expect(
    read({ file: 'a.bin', part: { kind: 'planes', offset: 0, width: 1e6, height: 1e6 } }),
  ).rejects.toThrow('MiB');
  expect(readFileSync(join(folder, 'a.bin'))).toHaveLength(13);
});
