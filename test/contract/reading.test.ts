/** What a network of texts does not read of a dataset, from importing both to findings that people see. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Service } from '../../src-main/service/service.ts';
import { writeTinyBert } from '../tiny-bert.ts';
import { type Fixture, fill, finishTask, makeFixture, open } from './fixture.ts';

let fixture: Fixture;
let service: Service;
beforeAll(async () => {
  fixture = await makeFixture();
  service = await open(fixture);
  await fill(service, fixture);
  const texts = join(fixture.root, 'texts');
  mkdirSync(texts);
  const lines = ['who met Ada ?', 'who met Æthel ?', 'when was it ?', Array(80).fill('when').join(' ')];
  const rows = lines.map((text) => JSON.stringify({ text, label: text.slice(0, 3), split: 'train' }));
  writeFileSync(join(texts, 'questions.jsonl'), `${rows.join('\n')}\n`);
  await finishTask(service, await service.call('datasets.import', { path: texts, name: 'questions' }));
  writeTinyBert(join(fixture.root, 'bert'), ['who met Ada ?', 'when was it ?']);
  await service.call('models.add', { path: join(fixture.root, 'bert'), name: 'bert' });
});
afterAll(async () => {
  await service.close();
  fixture.remove();
});

const checked = async (dataset: string, model: string) =>
  finishTask(service, await service.call('datasets.check', { dataset, model }));

test('a check names texts with unknown characters and those that are cut, once, however often it is made', async () => {
  await checked('questions', 'bert');
  await checked('questions', 'bert');
  const { findings } = await service.call('datasets.findings', { dataset: 'questions' });
  const ofReading = findings.filter(({ kind }) => ['unknown-characters', 'too-long'].includes(kind));
  expect(ofReading.map(({ sample }) => sample!.text!.text.slice(0, 9))).toEqual(['when when', 'who met Æ']);
  expect(ofReading.map(({ kind, path, detail }) => [kind, path, detail])).toEqual([
    [
      'too-long',
      expect.stringContaining('questions.jsonl'),
      '80 pieces, of which the first 62 are read: “when” and what follows is cut off',
    ],
    [
      'unknown-characters',
      expect.stringContaining('questions.jsonl'),
      expect.stringMatching(/no pieces for “Æthel”: 1 of \d+/),
    ],
  ]);
});

test('a finding holds the texts that it is about', async () => {
  const { findings } = await service.call('datasets.findings', { dataset: 'questions', kind: 'too-long' });
  expect(findings.map(({ sample }) => sample?.text)).toEqual([
    { text: Array(80).fill('when').join(' '), words: null, tags: null },
  ]);
});

test('texts are not checked by a network of images, nor images by one of texts', async () => {
  await expect(service.call('datasets.check', { dataset: 'questions', model: 'tiny' })).rejects.toMatchObject(
    { code: 'bad-input', message: expect.stringContaining('takes images'), hint: expect.any(String) },
  );
  const { error } = await checked('insects', 'bert');
  expect(error).toMatchObject({ code: 'bad-input', message: expect.stringContaining('takes texts') });
});
