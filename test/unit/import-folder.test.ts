import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ImportedImages, ReadFacts } from '../../src-main/data/import-images.ts';
import type { CotuneError } from '../../src-shared/errors.ts';
import { importFolder } from './import-in-process.ts';
import { bitmap, classOf, jpeg, scene, temporaryFolder, writeFiles } from './pictures.ts';

const count = ({ samples, classes }: ImportedImages) =>
  Object.fromEntries(
    classes.map((name, label) => [
      name,
      ['train', 'val', 'test'].map(
        (split) => samples.filter((s) => s.label === label && s.split === split).length,
      ),
    ]),
  );
/** Long enough for a change to bear another time. */
const settle = () => new Promise((wake) => setTimeout(wake, 80));
const issuesOf = ({ issues }: ImportedImages) => issues.map(({ kind, path }) => [kind, path]);
const failure = (promise: Promise<unknown>): Promise<CotuneError> =>
  promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error) => error,
  );

test('train, val and test folders are the splits', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    ...(await classOf('train/cat', 4, 0)),
    ...(await classOf('train/dog', 3, 10)),
    ...(await classOf('val/cat', 2, 20)),
    ...(await classOf('test/dog', 1, 30)),
  });
  const found = await importFolder(folder, { seed: 0 });
  expect(count(found)).toEqual({ cat: [4, 2, 0], dog: [3, 0, 1] });
  expect(found.issues).toEqual([]);
  expect(found.notes).toEqual([]);
  expect(found.samples[0]).toMatchObject({ path: 'test/dog/0.jpg', label: 1, width: 96, height: 72 });
});

test('val alone beside train is the test split, and that is said', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('Train/a', 3, 0)), ...(await classOf('validation/a', 2, 9)) });
  const found = await importFolder(folder, { seed: 0 });
  expect(count(found)).toEqual({ a: [3, 0, 2] });
  expect(found.notes.join()).toContain('serve as the test split');
});

test('class folders alone: a fifth of each class is the test split, by seed and content', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('a', 10, 0)), ...(await classOf('b', 5, 20)) });
  await settle();
  const found = await importFolder(folder, { seed: 3 });
  expect(count(found)).toEqual({ a: [8, 0, 2], b: [4, 0, 1] });
  expect(found.notes.join()).toContain('There is no test folder');
  const again = await importFolder(folder, { seed: 3 });
  expect(again).toEqual(found);
  const testOf = (f: ImportedImages) => f.samples.filter((s) => s.split === 'test').map((s) => s.path);
  const others = await Promise.all([4, 5, 6].map((seed) => importFolder(folder, { seed })));
  expect(new Set([found, ...others].map((f) => testOf(f).join())).size).toBeGreaterThan(1);
  // Renamed files stay where they were.
  const before = new Map(found.samples.map((s) => [s.hash, s.split]));
  renameSync(join(folder, 'a/0.jpg'), join(folder, 'a/zz.jpg'));
  for (const s of (await importFolder(folder, { seed: 3 })).samples) expect(s.split).toBe(before.get(s.hash));
});

test('repeats of an image stay on one side of a split that the import makes', async () => {
  const folder = temporaryFolder();
  const files = await classOf('a', 10, 0);
  for (let i = 0; i < 10; i++) files[`a/copy-${i}.jpg`] = files[`a/${i}.jpg`];
  for (let i = 0; i < 10; i++) {
    files[`a/small-${i}.jpg`] = await scene(i).resize(60, 45).jpeg({ quality: 70 }).toBuffer();
  }
  writeFiles(folder, files);
  for (const seed of [0, 1, 2]) {
    const { samples, issues } = await importFolder(folder, { seed });
    expect(samples.filter((s) => s.split === 'test')).toHaveLength(6);
    expect(issues.filter((i) => i.kind === 'exact-duplicate')).toHaveLength(10);
    expect(issues.filter((i) => i.kind === 'near-duplicate')).toHaveLength(10);
    expect(issues.filter((i) => i.detail.includes('across splits'))).toEqual([]);
  }
});

test('every oddity is named with its reason, and the import goes on', async () => {
  const folder = temporaryFolder();
  const whole = await scene(50, 300, 200).jpeg().toBuffer();
  writeFiles(folder, {
    ...(await classOf('train/good', 5, 0)),
    'train/good/cut.jpg': whole.subarray(0, whole.length / 2),
    'train/good/text.jpg': 'not an image at all',
    'train/good/zero.jpg': '',
    'train/good/huge.bmp': bitmap({ width: 20_000, height: 20_000, bits: 1, pixels: [] }),
    'train/good/phone.HEIC': 'x',
    'train/good/notes.txt': 'x',
    'train/single/only.png': await scene(60).png().toBuffer(),
    'train/nothing/zero.png': '',
    'train/stray.jpg': await jpeg(70),
    'test/good/1.jpg': await jpeg(80),
    'test/unseen/1.jpg': await jpeg(81),
  });
  const found = await importFolder(folder, { seed: 0 });
  expect(issuesOf(found)).toEqual([
    ['single-in-class', 'test/unseen/1.jpg'],
    ['broken', 'train/good/cut.jpg'],
    ['huge', 'train/good/huge.bmp'],
    ['unsupported', 'train/good/phone.HEIC'],
    ['broken', 'train/good/text.jpg'],
    ['empty', 'train/good/zero.jpg'],
    ['empty', 'train/nothing/zero.png'],
    ['single-in-class', 'train/single/only.png'],
    ['unsupported', 'train/stray.jpg'],
  ]);
  for (const issue of found.issues) expect(issue.detail).not.toBe('');
  expect(count(found)).toEqual({ good: [5, 0, 1], single: [1, 0, 0], unseen: [0, 0, 1] });
  const notes = found.notes.join('\n');
  expect(notes).toContain('The class nothing has no usable image');
  expect(notes).toContain('train/good/notes.txt');
});

test('the only image of a class stays in training', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('many', 5, 0)), ...(await classOf('one', 1, 50)) });
  for (const seed of [0, 1, 2, 3]) {
    expect(count(await importFolder(folder, { seed })).one).toEqual([1, 0, 0]);
  }
});

test('names of all kinds: spaces, accents in both forms, brackets, hidden and system files', async () => {
  const folder = temporaryFolder();
  const decomposed = 'pingu\u0308ino';
  writeFiles(folder, {
    ...(await classOf('train/monkey [x] & co', 2, 0)),
    ...(await classOf('train/金絲猴', 2, 10)),
    ...(await classOf(`train/${decomposed}`, 2, 20)),
    [`test/${decomposed.normalize('NFC')}/été ?#%41.jpg`]: await jpeg(30),
    'train/.cache/x.jpg': 'x',
    'train/金絲猴/._0.jpg': 'x',
    'train/金絲猴/Thumbs.db': 'x',
    '__MACOSX/train/x.jpg': 'x',
    '.DS_Store': 'x',
  });
  const found = await importFolder(folder, { seed: 0 });
  expect(found.classes).toEqual(['monkey [x] & co', 'ping\u00fcino', '金絲猴']);
  expect(count(found)['ping\u00fcino']).toEqual([2, 0, 1]);
  expect(found.issues.filter(({ kind }) => kind !== 'single-in-class')).toEqual([]);
  expect(found.samples[0].path).toBe(`test/ping\u00fcino/été ?#%41.jpg`);
});

test('links: loops end, dangling ones are named, linked images count', async (ctx) => {
  if (process.platform === 'win32') ctx.skip('links need a privilege on Windows');
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('a', 3, 0)), ...(await classOf('b', 3, 10)) });
  symlinkSync('..', join(folder, 'a/up'));
  symlinkSync('.', join(folder, 'a/self'));
  symlinkSync('/', join(folder, 'a/everything'));
  symlinkSync('../a', join(folder, 'b/other'));
  symlinkSync('gone.jpg', join(folder, 'a/dangling.jpg'));
  symlinkSync('me.jpg', join(folder, 'b/me.jpg'));
  writeFiles(folder, { 'elsewhere.bin': await jpeg(40) });
  symlinkSync('../elsewhere.bin', join(folder, 'b/linked.jpg'));
  const found = await importFolder(folder, { seed: 0 });
  expect(issuesOf(found)).toEqual([
    ['broken', 'a/dangling.jpg'],
    ['broken', 'b/me.jpg'],
  ]);
  expect(found.samples.map(({ path }) => path)).toEqual([
    'a/0.jpg',
    'a/1.jpg',
    'a/2.jpg',
    'b/0.jpg',
    'b/1.jpg',
    'b/2.jpg',
    'b/linked.jpg',
  ]);
  expect(found.notes.filter((note) => note.includes('read already'))).toHaveLength(4);
});

test('links out of the folder are named and not followed, unless that is asked for', async (ctx) => {
  if (process.platform === 'win32') ctx.skip('links need a privilege on Windows');
  const outer = temporaryFolder();
  writeFiles(outer, { ...(await classOf('set/a', 3, 0)), ...(await classOf('else/b', 3, 10)) });
  const folder = join(outer, 'set');
  symlinkSync('../else/b', join(folder, 'b'));
  symlinkSync(join(outer, 'else/b/0.jpg'), join(folder, 'a/linked.jpg'));
  const kept = await importFolder(folder, { seed: 0 });
  expect(kept.classes).toEqual(['a']);
  expect(kept.samples).toHaveLength(3);
  expect(kept.issues.map(({ kind, path, detail }) => `${kind} ${path}: ${detail.slice(0, 30)}`)).toEqual([
    'unsupported a/linked.jpg: it is a link out of the folder',
    'unsupported b: it is a link out of the folder',
  ]);
  const followed = await importFolder(folder, { seed: 0, links: 'all' });
  expect(followed.samples.filter(({ label }) => followed.classes[label] === 'b')).toHaveLength(3);
});

test('what an import has read is not read again by the next one, though the first was cancelled', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('a', 6, 0)), ...(await classOf('b', 6, 10)) });
  await settle();
  const kept = new Map<string, ReadFacts>();
  const resume = { known: kept, keep: (key: string, read: ReadFacts) => void kept.set(key, read) };
  const abort = new AbortController();
  const first = importFolder(folder, {
    ...{ seed: 0, resume, signal: abort.signal },
    onProgress: (done) => done === 5 && abort.abort(),
  });
  await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  expect(kept.size).toBeGreaterThanOrEqual(5);
  // Marked, so that what was read before can be told from what is read now.
  const before = kept.size;
  for (const read of kept.values()) read.facts.width = 1;
  const { samples } = await importFolder(folder, { seed: 0, resume });
  expect(samples.filter(({ width }) => width === 1)).toHaveLength(before);
  expect(samples).toHaveLength(12);
});

test('whole groups, also of several classes, are on one side of the splits that the import makes', async () => {
  const folder = temporaryFolder();
  const files: Record<string, Uint8Array> = {};
  for (let patient = 0; patient < 10; patient++)
    for (const side of ['sick', 'well'])
      for (let i = 0; i < 2; i++)
        files[`${side}/p${patient}_${i}.jpg`] = await jpeg(patient * 10 + i + (side === 'sick' ? 5 : 0));
  writeFiles(folder, files);
  const found = await importFolder(folder, { seed: 1, groupBy: '/(p\\d+)_' });
  const patients = Map.groupBy(found.samples, ({ group }) => group);
  expect(patients.size).toBe(10);
  for (const images of patients.values()) expect(new Set(images.map(({ split }) => split)).size).toBe(1);
  expect(count(found)).toEqual({ sick: [16, 0, 4], well: [16, 0, 4] });
  expect(found.notes.join()).toContain('whole groups, about a fifth of each class');
  await expect(importFolder(folder, { seed: 1, groupBy: '(' })).rejects.toMatchObject({ code: 'bad-input' });
  // A split that the dataset brings stays, and is said to divide them.
  writeFiles(
    folder,
    Object.fromEntries(
      Object.entries(files).map(([name, data], i) => [`own/${i % 2 ? 'train' : 'test'}/${name}`, data]),
    ),
  );
  const own = await importFolder(join(folder, 'own'), { seed: 1, groupBy: '/(p\\d+)_' });
  expect(own.notes.join()).toContain(
    '10 groups of images that belong together are in the test split and outside',
  );
});

test('special files with image names are named, not waited for', async (ctx) => {
  if (process.platform === 'win32') ctx.skip('named pipes are not files on Windows');
  const folder = temporaryFolder();
  writeFiles(folder, await classOf('a', 3, 0));
  execFileSync('mkfifo', [join(folder, 'a/pipe.jpg')]);
  mkdirSync(join(folder, 'a/folder.jpg'));
  const found = await importFolder(folder, { seed: 0 });
  expect(issuesOf(found)).toEqual([['unsupported', 'a/pipe.jpg']]);
});

test('a folder and a file that must not be read are named', async (ctx) => {
  if (process.platform === 'win32' || process.getuid?.() === 0) ctx.skip('this user may read everything');
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('a', 3, 0)), ...(await classOf('b', 3, 10)) });
  chmodSync(join(folder, 'b'), 0);
  chmodSync(join(folder, 'a/0.jpg'), 0);
  const found = await importFolder(folder, { seed: 0 });
  chmodSync(join(folder, 'b'), 0o700);
  expect(issuesOf(found)).toEqual([
    ['broken', 'a/0.jpg'],
    ['broken', 'b'],
  ]);
});

test('a folder inside a folder, folders inside classes, and a class called train', async () => {
  const outer = temporaryFolder();
  writeFiles(outer, {
    ...(await classOf('set/images/train/a/deep/er', 2, 0)),
    ...(await classOf('set/images/test/a', 1, 5)),
  });
  const nested = await importFolder(outer, { seed: 0 });
  expect(count(nested)).toEqual({ a: [2, 0, 1] });
  expect(nested.notes.join()).toContain('inside the folder set/images');

  const vehicles = temporaryFolder();
  writeFiles(vehicles, {
    ...(await classOf('train', 2, 0)),
    ...(await classOf('bus', 2, 10)),
    ...(await classOf('val', 2, 20)),
  });
  expect((await importFolder(vehicles, { seed: 0 })).classes).toEqual(['bus', 'train', 'val']);
});

test('classes are in plain or in natural order, and where that differs it is said', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('2 b', 2, 0)), ...(await classOf('10 a', 2, 10)) });
  const plain = await importFolder(folder, { seed: 0 });
  expect(plain.classes).toEqual(['10 a', '2 b']);
  expect(plain.notes.join()).toContain('plain order, as torchvision has them: 10 before 2');
  const natural = await importFolder(folder, { seed: 0, classOrder: 'natural' });
  expect(natural.classes).toEqual(['2 b', '10 a']);
  expect(natural.notes.join()).toContain('natural order, as timm has them');
});

test('class names that JavaScript objects have of their own are class names', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('constructor', 2, 0)), ...(await classOf('__proto__', 2, 10)) });
  expect((await importFolder(folder, { seed: 0 })).classes).toEqual(['__proto__', 'constructor']);
});

test('a name that is not valid UTF-8 is named as far as it can be', async (ctx) => {
  if (process.platform !== 'linux') ctx.skip('only Linux keeps such names');
  const folder = temporaryFolder();
  writeFiles(folder, await classOf('a', 3, 0));
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/a/`), Buffer.from([0xe9]), Buffer.from('.jpg')]), 'x');
  const { issues } = await importFolder(folder, { seed: 0 });
  expect(issues).toEqual([
    { kind: 'broken', path: 'a/\ufffd.jpg', detail: 'its name is not valid UTF-8; rename it' },
  ]);
});

test.each([
  ['an empty folder', {}, 'found 0 folders'],
  ['images without class folders', { 'a.jpg': 'x', 'b.jpg': 'x' }, '2 images outside class folders'],
  ['folders without images', { 'a/x.txt': 'x', 'b/y.csv': 'x' }, '2 folders (a, b)'],
  ['a test folder alone', { 'test/a/x.jpg': 'x', 'val/a/x.jpg': 'x' }, 'no train/ folder'],
  ['an empty train folder', { 'train/.keep': '', 'test/a/x.txt': 'x' }, 'no images in class folders'],
  ['only unusable images', { 'a/x.jpg': 'text', 'a/y.jpg': '' }, 'None of the 2 images'],
])('%s is refused, with what was expected and what was found', async (_, files, found) => {
  const folder = temporaryFolder();
  writeFiles(folder, files as Record<string, string>);
  const error = await failure(importFolder(folder, { seed: 0 }));
  expect(error.code).toBe('bad-input');
  expect(error.message).toContain(found);
  expect(error.hint).not.toBe('');
});

test('a missing folder, and a file in place of one, are refused', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { file: 'x' });
  expect((await failure(importFolder(join(folder, 'none'), { seed: 0 }))).code).toBe('not-found');
  expect((await failure(importFolder(join(folder, 'file'), { seed: 0 }))).message).toContain('not a folder');
});

test('importing again reads only what changed, and says what did', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { ...(await classOf('a', 6, 0)), 'a/copy.png': await scene(0).png().toBuffer() });
  await settle();
  const first = await importFolder(folder, { seed: 0 });
  const previous = first;
  // A reading would find the marked values wrong.
  const marked = {
    ...previous,
    samples: first.samples.map((sample) => ({ ...sample, width: 12345 })),
  };
  const unread = await importFolder(folder, { seed: 0, previous: marked });
  expect(unread.samples.every(({ width }) => width === 12345)).toBe(true);
  expect(unread.notes.at(-1)).toContain('nothing has changed');
  expect(unread.issues).toEqual(first.issues);
  expect(unread.hash).toBe(first.hash);
  const underAnotherName = await importFolder(folder, { seed: 0, seen: marked });
  expect(underAnotherName).toEqual({ ...unread, notes: first.notes });

  writeFileSync(join(folder, 'a/0.jpg'), await jpeg(90));
  utimesSync(join(folder, 'a/0.jpg'), new Date(), new Date(Date.now() + 5000));
  rmSync(join(folder, 'a/1.jpg'));
  writeFiles(folder, { 'a/new.jpg': await jpeg(91) });
  await settle();
  const again = await importFolder(folder, { seed: 0, previous });
  expect(again.notes.at(-1)).toContain('1 added, 1 changed, 1 removed');
  const fresh = await importFolder(folder, { seed: 0 });
  expect(again.samples).toEqual(fresh.samples);
  expect(again.hash).toBe(fresh.hash);
  expect(again.hash).not.toBe(first.hash);
});

test('a file replaced by an older one of the same size is read again', async () => {
  const folder = temporaryFolder();
  const pixels = (value: number) =>
    bitmap({ width: 16, height: 16, bits: 24, pixels: Array(768).fill(value) });
  writeFiles(folder, { 'a/0.bmp': pixels(10), 'a/1.bmp': pixels(200), 'older.bin': pixels(90) });
  const past = new Date(Date.now() - 86_400_000);
  for (const file of ['a/0.bmp', 'a/1.bmp', 'older.bin']) utimesSync(join(folder, file), past, past);
  await settle();
  const first = await importFolder(folder, { seed: 0 });
  renameSync(join(folder, 'older.bin'), join(folder, 'a/0.bmp'));
  const again = await importFolder(folder, { seed: 0, previous: first });
  expect(again.samples[0].hash).not.toBe(first.samples[0].hash);
  expect(again.samples[1].hash).toBe(first.samples[1].hash);
});

test('a change of the same size is read again, whatever clock its time comes from', async () => {
  const folder = temporaryFolder();
  const pixels = (value: number) =>
    bitmap({ width: 16, height: 16, bits: 24, pixels: Array(768).fill(value) });
  writeFiles(folder, { 'a/0.bmp': pixels(10), 'a/1.bmp': pixels(200) });
  await settle();
  const first = await importFolder(folder, { seed: 0 });
  // A file server whose clock is an hour late, and a copy that keeps its time: both lie before the import.
  writeFiles(folder, { 'a/0.bmp': pixels(90), 'a/1.bmp': pixels(130) });
  const late = new Date(Date.now() - 3_600_000);
  for (const file of ['a/0.bmp', 'a/1.bmp']) utimesSync(join(folder, file), late, late);
  const again = await importFolder(folder, { seed: 0, previous: first });
  expect(again.notes.at(-1)).toContain('2 changed');
});

test('progress counts every file, and an import can be cancelled', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, await classOf('a', 12, 0));
  const seen: number[] = [];
  await importFolder(folder, { seed: 0, onProgress: (done, total) => seen.push(done, total) });
  expect(seen.filter((_, index) => index % 2 === 0)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  expect(seen.at(-1)).toBe(12);
  const abort = new AbortController();
  const error = await failure(
    importFolder(folder, { seed: 0, signal: abort.signal, onProgress: () => abort.abort() }),
  );
  expect(error.code).toBe('cancelled');
});

test('the dataset hash follows paths, contents, classes and splits, not the import', async () => {
  const [one, other] = [temporaryFolder(), temporaryFolder()];
  const files = await classOf('a', 5, 0);
  writeFiles(one, files);
  writeFiles(other, Object.fromEntries(Object.entries(files).toReversed()));
  const hash = (await importFolder(one, { seed: 0 })).hash;
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect((await importFolder(other, { seed: 0 })).hash).toBe(hash);
  renameSync(join(other, 'a'), join(other, 'b'));
  expect((await importFolder(other, { seed: 0 })).hash).not.toBe(hash);
});
