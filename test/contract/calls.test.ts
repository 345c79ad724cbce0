import { cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import { type CallName, contract, type EventName, type Task } from '../../src-shared/contract.ts';
import { type Fixture, fill, finishRun, finishTask, makeFixture, open, request } from './fixture.ts';

let fixture: Fixture;
let service: Service;
let events: { name: EventName; data: unknown }[] = [];
const ids = { first: 0, second: 0, sample: 0, relationship: 0, ranking: 0, task: 0 };

beforeAll(async () => {
  fixture = await makeFixture();
  service = await open(fixture);
  events = [];
  for (const name of Object.keys(contract.events) as EventName[]) {
    service.on(name, (data) => void events.push({ name, data }));
  }
  await fill(service, fixture);
  ids.first = (await finishRun(service, (await service.call('runs.start', request())).id)).id;
  const second = await service.call('runs.start', request({ method: 'cotuning' }));
  const finished = await finishRun(service, second.id);
  ids.second = finished.id;
  ids.relationship = finished.relationshipId!;
  const { samples } = await service.call('datasets.samples', { dataset: 'insects', split: 'test' });
  ids.sample = samples[0].id;
});
afterAll(async () => {
  await service.close();
  fixture.remove();
});

/** The images under numbers of source classes, and one folder that is none. */
function calibrationFolder(): string {
  const folder = join(fixture.root, 'calibration');
  cpSync(join(fixture.images, 'bee'), join(folder, '0'), { recursive: true });
  cpSync(join(fixture.images, 'wasp'), join(folder, '2'), { recursive: true });
  return folder;
}

/** A good input of every call, in an order in which they can all be made. */
const good: [CallName, () => unknown][] = [
  ['system.report', () => ({})],
  ['system.listFolder', () => ({ path: fixture.images })],
  ['system.device', () => ({})],
  ['tasks.list', () => ({})],
  ['parts.list', () => ({})],
  ['datasets.list', () => ({})],
  ['datasets.formats', () => ({})],
  ['datasets.writeList', () => ({ dataset: 'insects', path: join(fixture.root, 'list.csv') })],
  ['datasets.get', () => ({ dataset: 'insects' })],
  ['datasets.preview', () => ({ path: fixture.images })],
  ['datasets.import', () => ({ path: fixture.images, name: 'again' })],
  ['datasets.samples', () => ({ dataset: '1', withFindings: true })],
  ['datasets.groups', () => ({ dataset: 'insects' })],
  ['datasets.findings', () => ({ dataset: 'insects', kind: 'exact-duplicate', state: 'open', leaks: true })],
  [
    'datasets.edit',
    () => ({ dataset: 'insects', edits: [{ action: 'move', path: 'bee/0.png', to: 'val' }] }),
  ],
  ['datasets.edits', () => ({ dataset: 'insects' })],
  [
    'datasets.exportEdits',
    () => ({ dataset: 'insects', path: join(fixture.root, 'edits.csv'), format: 'csv' }),
  ],
  ['datasets.undo', () => ({ dataset: 'insects' })],
  ['datasets.importEdits', () => ({ dataset: 'again', path: join(fixture.root, 'edits.csv') })],
  ['datasets.check', () => ({ dataset: 'insects', model: 'tiny' })],
  ['datasets.accuracyWithout', () => ({ dataset: 'insects', kind: 'near-duplicate' })],
  ['samples.get', () => ({ sample: ids.sample })],
  ['features.make', () => ({ dataset: 'insects', model: 'tiny' })],
  ['features.get', () => ({ dataset: 'insects', model: 'tiny' })],
  ['features.similar', () => ({ dataset: 'insects', model: 'tiny', sample: 1 })],
  ['views.save', () => ({ dataset: 'insects', name: 'bees', query: { label: '0' } })],
  ['views.list', () => ({ dataset: 'insects' })],
  ['views.delete', () => ({ view: 1 })],
  ['models.list', () => ({})],
  ['models.architectures', () => ({})],
  ['models.inspect', () => ({ path: fixture.weights })],
  ['models.add', () => ({ path: fixture.weights, name: 'second' })],
  ['models.calibrate', () => ({ model: 'tiny', data: calibrationFolder() })],
  ['models.rank', () => ({ dataset: 'insects', models: ['tiny'] })],
  ['models.measure', () => ({ model: 'tiny' })],
  ['models.fetch', () => ({ repository: 'nobody/nothing', endpoint: 'http://127.0.0.1:1' })],
  ['rankings.list', () => ({})],
  ['rankings.get', () => ({ ranking: ids.ranking })],
  ['rankings.delete', () => ({ ranking: ids.ranking })],
  ['tasks.cancel', () => ({ task: ids.task })],
  ['relationships.list', () => ({})],
  ['relationships.get', () => ({ relationship: ids.relationship })],
  ['relationships.matrix', () => ({ relationship: ids.relationship })],
  ['relationships.learn', () => ({ dataset: 'insects', model: 'tiny', seed: 5 })],
  [
    'relationships.learnArrays',
    () => ({
      trainLogits: fixture.weights,
      trainLabels: fixture.weights,
      valLogits: fixture.weights,
      valLabels: fixture.weights,
    }),
  ],
  ['runs.list', () => ({ dataset: 'insects', status: 'finished' })],
  ['runs.get', () => ({ run: ids.first })],
  ['runs.metrics', () => ({ run: ids.first, afterStep: 10 })],
  ['runs.notes', () => ({ run: ids.first })],
  ['runs.evaluation', () => ({ run: ids.first })],
  ['runs.predictions', () => ({ run: ids.first, limit: 1 })],
  ['runs.compare', () => ({ runs: [ids.first, ids.second] })],
  ['runs.comparePair', () => ({ a: ids.first, b: ids.second })],
  ['runs.changes', () => ({ a: ids.first, b: ids.second, kind: 'fixed' })],
  ['runs.predict', () => ({ run: ids.first, paths: [join(fixture.images, 'bee/0.png'), '/no/such.png'] })],
  ['runs.explain', () => ({ run: ids.first, samples: [1], paths: ['/no/such.png'] })],
  ['runs.meanMap', () => ({ run: ids.first, label: 1 })],
  ['runs.export', () => ({ run: ids.first, format: 'csv', path: join(fixture.root, 'out.csv') })],
  ['exports.verify', () => ({ path: fixture.weights })],
  ['experiments.start', () => ({ name: 's', dataset: 'insects', model: 'tiny', methods: ['finetune'] })],
  ['experiments.list', () => ({})],
  [
    'experiments.estimate',
    () => ({ name: 's', dataset: 'insects', model: 'tiny', methods: ['finetune'], search: {} }),
  ],
  ['experiments.stop', () => ({ experiment: 1 })],
  ['experiments.resume', () => ({ experiment: 1 })],
  ['experiments.get', () => ({ experiment: 1 })],
  ['experiments.report', () => ({ experiment: 1, path: join(fixture.root, 'report.html') })],
  ['runs.start', () => request()],
  ['runs.stop', () => ({ run: ids.second + 2 })],
  ['runs.resume', () => ({ run: ids.second + 2 })],
  ['runs.delete', () => ({ run: ids.second + 2 })],
  ['runs.averagings', () => ({})],
  ['runs.average', () => ({ way: 'greedy-soup', runs: [ids.first, ids.second] })],
  ['models.delete', () => ({ model: 'second' })],
  ['datasets.delete', () => ({ dataset: 'again' })],
];

test('every call of the contract is tried here', () => {
  expect(good.map(([name]) => name).sort()).toEqual(Object.keys(contract.calls).sort());
});

test.each(good)('the answer of %s is what the contract says', async (name, input) => {
  const answer = await service.call(name, input() as never);
  // Its dataset is deleted further down.
  if (name === 'datasets.import') await finishTask(service, answer as Task);
  if (name === 'features.make') await finishTask(service, answer as Task);
  if (name === 'models.rank') {
    ids.task = (answer as Task).id;
    ids.ranking = (await finishTask(service, answer as Task)).result!;
  }
  const parsed = contract.calls[name].output.safeParse(answer);
  expect(parsed.error?.issues).toBeUndefined();
  expect(parsed.data).toEqual(answer);
});

test('every event that was told is what the contract says', () => {
  const told = new Set(events.map(({ name }) => name));
  expect([...told].sort()).toEqual(Object.keys(contract.events).sort());
  for (const { name, data } of events) {
    expect(contract.events[name].safeParse(data).error?.issues, name).toBeUndefined();
  }
});

const needsNothing = new Set<CallName>([
  'system.report',
  'system.device',
  'tasks.list',
  'parts.list',
  'datasets.formats',
  'datasets.list',
  'models.list',
  'models.architectures',
  'relationships.list',
  'experiments.list',
  'rankings.list',
  'runs.list',
  'runs.averagings',
  'system.listFolder',
]);
const needsSomething = (Object.keys(contract.calls) as CallName[]).filter((name) => !needsNothing.has(name));

describe('bad input is answered with what is wrong and what is allowed', () => {
  test.each(needsSomething)('%s with nothing', async (name) => {
    const error = await service.call(name, {} as never).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'bad-input' });
    expect(error.message).toContain(name);
    expect(error.message).toContain('is missing');
    expect(error.hint).toContain('has to be');
  });

  test.each([
    ['runs.start', request({ rate: 1.5 }), /"rate" is 1.5/, /"rate" has to be at most 1\./],
    ['runs.start', request({ method: 'magic' as never }), /no method "magic"/, /finetune, cotuning/],
    ['runs.start', request({ steps: 2.5 }), /"steps" is 2.5/, /whole number/],
    ['runs.start', request({ method: 'cotuning+cotuning' }), /"cotuning" is named twice/, /once/],
    ['runs.start', request({ method: [] }), /No method is named/, /finetune/],
    ['runs.start', request({ optimizer: 'adam' }), /no optimizer "adam"/, /Did you mean "adamw"/],
    [
      'runs.start',
      request({ options: { tradeOff: 1 } }),
      /"tradeOff" is not an option of finetune/,
      /cotuning/,
    ],
    [
      'runs.start',
      request({ options: { momentun: 1 } }),
      /"momentun" is not an option/,
      /Did you mean "momentum"/,
    ],
    ['runs.start', request({ options: { momentum: 1 } }), /"momentum" is 1/, /below 1/],
    ['runs.start', request({ options: { 'adamw.beta1': 0.8 } }), /"adamw.beta1" is not an option/, /adamw/],
    ['runs.start', { ...request(), stepz: 3 }, /"stepz" is not a setting/, /spelling/],
    ['runs.start', request({ epochs: 2 }), /Both steps \(20\) and epochs \(2\)/, /one of them/],
    [
      'runs.start',
      request({ options: { decayAt: [30] } }),
      /step 30, but the run has 20 steps/,
      /before the end/,
    ],
    ['runs.compare', { runs: [1] }, /"runs" is \[1\]/, /a list of at least 2/],
    ['datasets.import', { path: '/tmp', name: '' }, /"name" is ""/, /at least 1 character/],
    ['datasets.import', { path: '/tmp', name: '   ' }, /name/, /not blank/],
    ['datasets.import', { path: '/tmp', name: '12' }, /is a number/, /letter/],
    ['runs.get', { run: 'three' }, /"run" is "three"/, /a number/],
    ['datasets.samples', { dataset: 'insects', limit: 5000 }, /"limit" is 5000/, /at most 1000/],
  ] as const)('%s %j', async (name, input, message, hint) => {
    const error = await service.call(name as CallName, input as never).catch((caught) => caught);
    expect(error.code).toBe('bad-input');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test.each([
    ['datasets.get', { dataset: 'none' }, /no dataset "none"/, /Known: insects/],
    ['runs.start', request({ model: 'none' }), /no model "none"/, /Known: tiny/],
    ['runs.get', { run: 4000 }, /no run 4000/, /cotune runs/],
    ['samples.get', { sample: 4000 }, /no image 4000/, /^/],
    ['relationships.get', { relationship: 4000 }, /no relationship 4000/, /^/],
    ['datasets.import', { path: '/no/such/folder', name: 'x' }, /does not exist/, /path/],
    ['models.add', { path: '/no/such.safetensors', name: 'x' }, /no file/, /safetensors/],
  ] as const)('%s of what is not there: %j', async (name, input, message, hint) => {
    const error = await service.call(name as CallName, input as never).catch((caught) => caught);
    expect(error.code).toBe('not-found');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('a call that is not in the contract', async () => {
    await expect(service.call('runs.explode' as never, {} as never)).rejects.toMatchObject({
      code: 'bad-input',
    });
  });
});

test('datasets and models are found by name and by id', async () => {
  const dataset = await service.call('datasets.get', { dataset: 'insects' });
  expect(await service.call('datasets.get', { dataset: String(dataset.id) })).toEqual(dataset);
});

test('single images are classified each for itself, with the reason where one cannot be', async () => {
  const good = join(fixture.images, 'wasp/1.png');
  const [first, second] = await service.call('runs.predict', { run: ids.first, paths: [good, '/no.png'] });
  expect(first).toEqual({ path: good, error: null, top: expect.any(Array) });
  expect(first.top.map(({ name }) => name)).toEqual(['wasp', 'bee']);
  expect(second).toMatchObject({ path: '/no.png', error: { code: 'not-found' }, top: [] });
});

test('predictions are exported as a table of one line per image, whole or not at all', async () => {
  const path = join(fixture.root, 'table.csv');
  const { bytes } = await service.call('runs.export', { run: ids.first, format: 'csv', path });
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  expect(bytes).toBe(readFileSync(path).length);
  expect(lines[0]).toBe('path,split,label,predicted,confidence,p(bee),p(wasp)');
  expect(lines).toHaveLength(1 + 4);
  expect(lines[1]).toMatch(/^bee\/\d\.png,val,bee,(bee|wasp),0\.8999999761581421,0\./);

  // What is there already stays, unless it is said that it is to go; a link is replaced, not what it leads to.
  const again = { run: ids.first, format: 'csv', path } as const;
  writeFileSync(path, 'precious');
  await expect(service.call('runs.export', again)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(path),
  });
  expect(readFileSync(path, 'utf8')).toBe('precious');
  const link = join(fixture.root, 'link.csv');
  symlinkSync(path, link);
  await expect(service.call('runs.export', { ...again, path: link })).rejects.toMatchObject({
    code: 'conflict',
  });
  await service.call('runs.export', { ...again, path: link, overwrite: true });
  expect(readFileSync(path, 'utf8')).toBe('precious');
  expect(readFileSync(link, 'utf8').split('\n')).toHaveLength(6);
  const inside = join(fixture.home, 'cotune.sqlite');
  await expect(
    service.call('runs.export', { ...again, path: inside, overwrite: true }),
  ).rejects.toMatchObject({ code: 'bad-input' });

  const none = await service.call('runs.start', request({ steps: 1000 }));
  const early = join(fixture.root, 'early.csv');
  await expect(
    service.call('runs.export', { run: none.id, format: 'csv', path: early }),
  ).rejects.toMatchObject({ code: 'conflict' });
  expect(existsSync(early)).toBe(false);
  await service.call('runs.delete', { run: none.id });
});

test('a table that cannot be written says where and why', async () => {
  const path = join(fixture.root, 'no', 'such', 'folder.csv');
  const missing = service.call('runs.export', { run: ids.first, format: 'csv', path });
  await expect(missing).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('such'),
  });
  const long = join(fixture.root, `${'x'.repeat(300)}.csv`);
  await expect(
    service.call('runs.export', { run: ids.first, format: 'csv', path: long }),
  ).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('its name is too long') });
});

test('the report survives engines that cannot be listed, and says so', async () => {
  const report = await service.call('system.report', {});
  expect(report.home).toBe(fixture.home);
  expect(report.engines.map((engine) => engine.name)).toEqual(['cpu', 'webgpu']);
  expect(report.findings.map((finding) => finding.topic)).toEqual(
    expect.arrayContaining(['engines', 'engine webgpu', 'data folder', 'database', 'runtime']),
  );
});

test('a relationship that is stored already is not learned again', async () => {
  const input = { dataset: 'insects', model: 'tiny', seed: 9 };
  const first = await finishTask(service, await service.call('relationships.learn', input));
  const second = await finishTask(service, await service.call('relationships.learn', input));
  expect(first).toMatchObject({ status: 'finished', error: null });
  expect(second.result).toBe(first.result);
});

test('a relationship of other classes is another one: a class more, a class of another name', async () => {
  const path = join(fixture.root, 'classes');
  cpSync(fixture.images, path, { recursive: true });
  const learn = async () => {
    await finishTask(service, await service.call('datasets.import', { path, name: 'classes' }));
    const input = { dataset: 'classes', model: 'tiny' };
    const { result } = await finishTask(service, await service.call('relationships.learn', input));
    return (await service.call('relationships.get', { relationship: result! })).relationship;
  };
  const learned = [await learn()];
  cpSync(join(path, 'bee', '0.png'), join(path, 'test', 'zebra', '0.png'), { recursive: true });
  learned.push(await learn());
  rmSync(join(path, 'test'), { recursive: true });
  renameSync(join(path, 'bee'), join(path, 'ant'));
  learned.push(await learn());
  expect(learned.map((one) => one.targetClasses)).not.toContainEqual([]);
  for (const { targetClasses } of learned)
    expect(learned.filter((one) => `${one.targetClasses}` === `${targetClasses}`)).toHaveLength(1);
  expect(new Set(learned.map(({ id }) => id)).size).toBe(3);
  expect(learned[2].targetClasses).toEqual(['ant', 'wasp']);
});

test('a calibrated model says on what it was fitted, and what is learned with it is learned anew', async () => {
  const input = { dataset: 'insects', model: 'tiny', seed: 12 };
  const learn = async (more: { calibrationData?: string } = {}) =>
    (await finishTask(service, await service.call('relationships.learn', { ...input, ...more }))).result;
  await service.call('models.add', { path: fixture.weights, name: 'tiny' });
  const before = await learn();
  const data = calibrationFolder();
  const empty = join(data, '0', 'empty.png');
  writeFileSync(empty, '');
  expect(await learn({ calibrationData: data })).not.toBe(before);
  const model = (await service.call('models.list', {})).find(({ name }) => name === 'tiny')!;
  expect(model.calibration).toMatchObject({
    temperature: 1.5,
    images: 12,
    classes: 2,
    nllBefore: 2,
    nllAfter: 1,
    data,
  });
  expect(model.calibration!.notes).toEqual([
    '2 of 2 folders were matched to source classes by number.',
    `${empty} is left out.`,
  ]);
  const wrong = await finishTask(
    service,
    await service.call('models.calibrate', { model: 'tiny', data: fixture.images }),
  );
  expect(wrong.error).toMatchObject({ code: 'bad-input', message: expect.stringContaining('bee') });
});

test('class names of arrays made elsewhere have to be as many as the classes', async () => {
  const path = join(fixture.root, 'names.txt');
  writeFileSync(path, 'one\ntwo\nthree\n');
  const file = fixture.weights;
  const arrays = { trainLogits: file, trainLabels: file, valLogits: file, valLabels: file };
  const named = await finishTask(
    service,
    await service.call('relationships.learnArrays', { ...arrays, sourceClasses: path }),
  );
  expect(
    (await service.call('relationships.get', { relationship: named.result! })).relationship.sourceClasses,
  ).toEqual(['one', 'two', 'three']);
  const wrong = await finishTask(
    service,
    await service.call('relationships.learnArrays', { ...arrays, targetClasses: path }),
  );
  expect(wrong).toMatchObject({ status: 'failed', error: { code: 'bad-input' } });
});

test('a picture comes back small or whole', async () => {
  const thumb = await service.picture(ids.sample, 'thumb');
  const full = await service.picture(ids.sample, 'full');
  expect(thumb.contentType).toMatch(/^image\//);
  expect(full.contentType).toBe('image/png');
  await expect(service.picture(4000, 'thumb')).rejects.toMatchObject({ code: 'not-found' });
});
