/** What people change of a dataset: a list beside it, which every run says that it had. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import type { EditRequest } from '../../src-shared/contract.ts';
import { type Fixture, fill, finishRun, finishTask, makeFixture, open, request } from './fixture.ts';

let fixture: Fixture;
let service: Service;
beforeEach(async () => {
  fixture = await makeFixture(5);
  service = await open(fixture);
  await fill(service, fixture);
});
afterEach(async () => {
  await service.close();
  fixture.remove();
});

const edit = (...edits: EditRequest[]) => service.call('datasets.edit', { dataset: 'insects', edits });
const dataset = () => service.call('datasets.get', { dataset: 'insects' });
const train = async () => finishRun(service, (await service.call('runs.start', request())).id);
const importAgain = async (path = fixture.images) =>
  finishTask(service, await service.call('datasets.import', { path, name: 'insects' }));
const paths = async (excluded = false) =>
  (await service.call('datasets.samples', { dataset: 'insects', excluded })).samples.map(({ path }) => path);

test('edits change the dataset, its hash and what runs are made of; old runs stay what they were', async () => {
  const before = await dataset();
  const old = await train();
  const results = await service.call('runs.predictions', { run: old.id });
  const [{ sample }] = results.predictions;

  const { edit: first } = await edit(
    { action: 'exclude', path: sample.path },
    { action: 'relabel', path: 'wasp/3.png', to: 'bee', newClass: false },
    { action: 'rename', name: 'bee', to: 'honeybee' },
  );
  const edited = await dataset();
  expect(edited.hash).not.toBe(before.hash);
  expect(edited).toMatchObject({ classes: ['honeybee', 'wasp'], importedClasses: ['bee', 'wasp'], edits: 3 });
  expect(await paths()).not.toContain(sample.path);
  expect(await paths(true)).toEqual([sample.path]);
  const fresh = await train();
  expect(fresh).toMatchObject({ datasetHash: edited.hash, editsHash: edited.editsHash });
  expect(fresh.samples.test).toBe(old.samples.test - 1);

  expect(await service.call('runs.get', { run: old.id })).toMatchObject({
    datasetHash: before.hash,
    editsHash: null,
    splitHash: old.splitHash,
    test: old.test,
  });
  expect(await service.call('runs.predictions', { run: old.id })).toEqual(results);
  const { classes } = await service.call('runs.evaluation', { run: old.id });
  expect(classes.map(({ name }) => name)).toEqual(['bee', 'wasp']);

  const [left] = (await service.call('datasets.samples', { dataset: 'insects' })).samples;
  const { edit: last } = await edit({ action: 'exclude', path: left.path });
  expect((await edit({ action: 'exclude', path: left.path })).edit).toBeNull();
  const { edits } = await service.call('datasets.undo', { dataset: 'insects', edit: first! });
  expect(edits).toHaveLength(3);
  expect((await service.call('datasets.undo', { dataset: 'insects', edit: last! })).edits).toHaveLength(1);
  expect(await dataset()).toMatchObject({
    hash: before.hash,
    classes: before.classes,
    edits: 0,
    editsHash: null,
  });
  const kept = await service.call('datasets.edits', { dataset: 'insects', undone: true });
  expect(kept.edits.map(({ undoneAt }) => undoneAt)).not.toContain(null);
});

test('the same content has the same hash, be it edited or imported so', async () => {
  await edit({ action: 'exclude', path: 'wasp/3.png' });
  // Which images are tested is drawn where a folder does not say it: both have to say it alike.
  const { samples } = await service.call('datasets.samples', { dataset: 'insects' });
  const said = join(fixture.root, 'said');
  for (const { path, split } of samples) {
    mkdirSync(join(said, split, path, '..'), { recursive: true });
    copyFileSync(join(fixture.images, path), join(said, split, path));
  }
  await finishTask(service, await service.call('datasets.import', { path: said, name: 'said' }));
  const plain = await service.call('datasets.get', { dataset: 'said' });
  copyFileSync(join(fixture.images, 'wasp/3.png'), join(said, 'train/wasp/3.png'));
  await finishTask(service, await service.call('datasets.import', { path: said, name: 'said' }));
  expect((await service.call('datasets.get', { dataset: 'said' })).hash).not.toBe(plain.hash);
  const excluded = { action: 'exclude', path: 'train/wasp/3.png' } as const;
  const { dataset: edited } = await service.call('datasets.edit', { dataset: 'said', edits: [excluded] });
  expect(edited.hash).toBe(plain.hash);
});

test('an import keeps edits whose images are there, follows renamed files, and names edits that no longer apply', async () => {
  const copy = join(fixture.images, 'bee/copy.png');
  copyFileSync(join(fixture.images, 'bee/0.png'), copy);
  await importAgain();
  await edit(
    { action: 'exclude', path: 'bee/copy.png' },
    { action: 'relabel', path: 'bee/1.png', to: 'wasp', newClass: false },
    { action: 'exclude', path: 'wasp/2.png' },
  );
  renameSync(join(fixture.images, 'bee/1.png'), join(fixture.images, 'bee/renamed.png'));
  writeFileSync(join(fixture.images, 'wasp/2.png'), readFileSync(join(fixture.images, 'wasp/1.png')));
  rmSync(copy);
  await importAgain();
  const { notes, edits } = await dataset();
  expect(edits).toBe(3);
  expect(notes.join('\n')).toContain(
    '2 edits no longer apply: exclude bee/copy.png (the image is no longer there);',
  );
  const { samples } = await service.call('datasets.samples', { dataset: 'insects' });
  expect(samples.find(({ path }) => path === 'bee/renamed.png')).toMatchObject({ label: 1 });
  // The copy of an excluded image that went is no such image: it stays.
  expect(samples.map(({ path }) => path)).toContain('bee/0.png');
  expect(samples.map(({ path }) => path)).toContain('wasp/2.png');
});

test('findings are settled by edits, and open again when these are undone', async () => {
  copyFileSync(join(fixture.images, 'bee/0.png'), join(fixture.images, 'bee/copy.png'));
  copyFileSync(join(fixture.images, 'wasp/0.png'), join(fixture.images, 'wasp/copy.png'));
  await importAgain();
  const findings = async () =>
    (await service.call('datasets.findings', { dataset: 'insects', kind: 'exact-duplicate' })).findings;
  const [first, second] = await findings();
  await edit(
    { action: 'exclude', path: first.path, finding: first.id },
    { action: 'keep', finding: second.id },
  );
  expect((await findings()).map(({ state }) => state)).toEqual(['done', 'kept']);
  expect((await dataset()).findings).toEqual([
    { kind: 'exact-duplicate', open: 0, kept: 1, done: 1, leaks: 0 },
  ]);
  await importAgain();
  expect((await findings()).map(({ state }) => state)).toEqual(['done', 'kept']);
  await service.call('datasets.undo', { dataset: 'insects' });
  expect((await findings()).map(({ state }) => state)).toEqual(['open', 'open']);
});

test('edits go out as a table and come back; the script makes the same of the files', async () => {
  const before = await dataset();
  await edit(
    { action: 'exclude', path: 'wasp/0.png' },
    { action: 'relabel', path: 'bee/1.png', to: 'it’s, "new"', newClass: true },
  );
  const { hash } = await dataset();
  const [csv, sh] = ['csv', 'sh'].map((end) => join(fixture.root, `edits.${end}`));
  for (const [path, format] of [
    [csv, 'csv'],
    [sh, 'sh'],
  ] as const)
    await service.call('datasets.exportEdits', { dataset: 'insects', path, format });
  await service.call('datasets.undo', { dataset: 'insects' });
  expect((await dataset()).hash).toBe(before.hash);
  const again = await service.call('datasets.importEdits', { dataset: 'insects', path: csv });
  expect(again).toMatchObject({ made: 2, problems: [], dataset: { hash } });
  expect((await service.call('datasets.importEdits', { dataset: 'insects', path: csv })).made).toBe(0);

  execFileSync('sh', [sh, fixture.images]);
  readFileSync(join(fixture.images, 'it’s, "new"/1.png'));
  readFileSync(join(fixture.images, 'excluded/wasp/0.png'));
});

test.each([
  [{ action: 'exclude', path: 'nowhere.png' }, /no image nowhere.png/],
  [{ action: 'relabel', path: 'bee/0.png', to: 'waps', newClass: false }, /no class "waps"/],
  [{ action: 'rename', name: 'bee', to: 'wasp' }, /already/],
  [{ action: 'keep', finding: 999 }, /no finding 999/],
] as [EditRequest, RegExp][])(
  '%o is refused, and nothing else of the same call is done',
  async (wrong, reason) => {
    const before = await dataset();
    await expect(edit({ action: 'exclude', path: 'bee/2.png' }, wrong)).rejects.toThrow(reason);
    expect(await dataset()).toEqual(before);
  },
);

test('the accuracy without some images is that of the last run’s predictions', async () => {
  expect(await service.call('datasets.accuracyWithout', { dataset: 'insects' })).toBeNull();
  const run = await train();
  const { predictions, total } = await service.call('runs.predictions', { run: run.id });
  const correct = predictions.filter((one) => one.correct).length;
  const [{ sample, correct: right }] = predictions;
  expect(
    await service.call('datasets.accuracyWithout', { dataset: 'insects', samples: [sample.id] }),
  ).toEqual({
    run: run.id,
    all: { images: total, correct },
    without: { images: total - 1, correct: correct - Number(right) },
  });
});

test('what a run finds of labels by itself stands until somebody asks, or another network has found something', async () => {
  fixture.behave({ doubts: true });
  await service.call('models.add', { path: fixture.weights, name: 'other' });
  const found = async () => {
    const page = await service.call('datasets.findings', { dataset: 'insects', kind: 'wrong-label' });
    return page.findings.map(
      ({ path, detail }) => `${path} ${/by a linear probe of (\w+)/.exec(detail)?.[1]}`,
    );
  };
  const by = async (model: string, more = {}) => {
    const { id } = await service.call('runs.start', request({ model, ...more }));
    const run = await finishRun(service, id);
    const notes = await service.call('runs.notes', { run: run.id });
    return notes.some((note) => note.includes('is not in the review'));
  };
  expect(await by('tiny')).toBe(false);
  const [first] = await found();
  expect(first).toMatch(/^bee\/.* tiny$/);
  const { findings } = await service.call('datasets.get', { dataset: 'insects' });
  expect(findings.find(({ kind }) => kind === 'wrong-label')).toMatchObject({ open: 1 });
  expect(await by('other')).toBe(true);
  expect(await found()).toEqual([first]);

  const check = { dataset: 'insects', model: 'other' };
  await finishTask(service, await service.call('datasets.check', check));
  const asked = await found();
  expect(asked).toEqual([expect.stringMatching(/^bee\/.* other$/)]);
  for (const model of ['tiny', 'other']) expect(await by(model)).toBe(true);
  expect(await found()).toEqual(asked);
});

test('labels are checked by a run on its test images alone, and by one of a run and a model', async () => {
  // One that takes every image for the other class.
  const { id } = await service.call('runs.start', request({ steps: 21 }));
  const run = await finishRun(service, id);
  const task = await service.call('datasets.check', { dataset: 'insects', run: run.id });
  expect(await finishTask(service, task)).toMatchObject({ status: 'finished' });
  const { findings } = await service.call('datasets.findings', { dataset: 'insects', kind: 'wrong-label' });
  const { predictions } = await service.call('runs.predictions', { run: run.id, wrongOnly: true });
  const wrong = new Map(
    predictions.map(({ sample, predicted }) => [sample.path, ['bee', 'wasp'][predicted]]),
  );
  expect(findings.length).toBeGreaterThan(0);
  for (const { path, label } of findings) {
    expect(wrong.get(path)).toBe(label?.suggested);
    // Of its own features, which were made for it and are those of its map.
    expect(label?.nearestGiven).toMatchObject({ split: 'train' });
    expect(label?.nearestSuggested?.path).toMatch(new RegExp(`^${label?.suggested}/`));
  }
  await service.call('features.get', { dataset: 'insects', run: run.id });
  await expect(service.call('datasets.check', { dataset: 'insects' })).rejects.toMatchObject({
    code: 'bad-input',
  });
  const both = { dataset: 'insects', model: 'tiny', run: run.id };
  await expect(service.call('datasets.check', both)).rejects.toMatchObject({ code: 'bad-input' });
});
