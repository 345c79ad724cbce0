/** Tags of sentences that a person changes: what becomes of the dataset, and what stays of runs that saw the old ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { datasetHash, textHash } from '../../src-main/data/dataset-hash.ts';
import { suggestedTags } from '../../src-main/data/suggested-tags.ts';
import { bringUpToDate, resolveEdits } from '../../src-main/service/edit-dataset.ts';
import { editsFromTable, editsTable } from '../../src-main/service/edit-files.ts';
import { labelFindings, suspectTags } from '../../src-main/service/label-findings.ts';
import { samplesForRun } from '../../src-main/service/run-samples.ts';
import { takePredictions } from '../../src-main/service/take-predictions.ts';
import type { NewSample } from '../../src-main/store/samples.ts';
import { openStore, type Store } from '../../src-main/store/store.ts';
import type { EditRequest } from '../../src-shared/contract.ts';
import { entitiesOf } from '../../src-shared/entities.ts';
import { spanErrors } from '../../src-shared/span-errors.ts';
import { entitiesInLine, readTags, splitTagLine } from '../../src-shared/tag-line.ts';
import { newRun, dataset as row, sample } from './store-rows.ts';

const tagged = (
  path: string,
  words: string,
  tags: string,
  split: NewSample['split'] = 'train',
): NewSample => {
  const text = { text: words, words: words.split(' '), tags: tags.split(' ') };
  return { ...sample(path, -1, textHash(text)), split, text };
};
const london = (tag: string) => tagged('c', 'in London', `O ${tag}`, 'test');
const imported = [
  tagged('a', 'Ada Lovelace left', 'B-PER I-PER O'),
  tagged('b', 'in London', 'O B-LOC'),
  london('B-ORG'),
];

let folder: string;
let store: Store;
let id: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-tags-'));
  store = openStore(join(folder, 'cotune.sqlite'));
  id = store.datasets.insert({ ...row('d', ['LOC', 'ORG', 'PER']), task: 'token-classification' });
  importAll();
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function importAll(samples = imported): void {
  store.transaction(() => {
    store.samples.replace(id, samples);
    store.findings.replace(
      id,
      ['label-conflict'],
      [{ kind: 'label-conflict', path: 'c', other: 'b', detail: '' }],
    );
    bringUpToDate(store, id);
  });
}
const dataset = () => store.datasets.get(id)!;
function edit(...requests: EditRequest[]): void {
  store.transaction(() => {
    store.edits.insert(id, resolveEdits(store, dataset(), requests));
    bringUpToDate(store, id);
  });
}
function undo(): void {
  store.transaction(() => {
    store.edits.undo(id);
    bringUpToDate(store, id);
  });
}
const retag = (path: string, to: string, newClass = false): EditRequest => ({
  ...{ action: 'relabel', path, newClass },
  to: splitTagLine(to),
});
const tagsNow = () => store.samples.all(id).map(({ text }) => text!.tags!.join(' '));
const conflict = () => store.findings.page(id, { kind: 'label-conflict' }, 0, 1).findings[0].state;

test('a sentence with other tags is in the dataset’s hash as if it had been imported so, and what it settles is settled; undone it is what it was', () => {
  const before = dataset();
  edit(retag('c', 'O B-LOC'));
  expect(tagsNow()).toEqual(['B-PER I-PER O', 'O B-LOC', 'O B-LOC']);
  const edited = [imported[0], imported[1], london('B-LOC')];
  expect(dataset().hash).toBe(datasetHash(edited, []));
  // Its last entity went, and the type with it.
  expect(dataset()).toMatchObject({ edits: 1, classes: ['LOC', 'PER'] });
  expect(dataset().classCounts).toEqual([
    { train: 1, val: 0, test: 1 },
    { train: 1, val: 0, test: 0 },
  ]);
  expect(conflict()).toBe('done');
  expect(store.edits.active(id)[0]).toMatchObject({ before: 'O B-ORG', after: 'O B-LOC', problem: null });
  undo();
  expect(dataset()).toEqual(before);
  expect(tagsNow()).toEqual(['B-PER I-PER O', 'O B-LOC', 'O B-ORG']);
  expect(conflict()).toBe('open');
});

test('an import keeps the edit where the sentence is as it was, and says so where it is not', () => {
  edit(retag('c', 'O B-LOC'));
  const { hash } = dataset();
  const [sentence] = store.samples.all(id).slice(2);
  importAll();
  expect(dataset().hash).toBe(hash);
  expect(store.samples.all(id)[2]).toEqual(sentence);
  importAll([imported[0], imported[1], london('B-PER')]);
  expect(tagsNow()[2]).toBe('O B-PER');
  expect(store.edits.active(id)[0].problem).toBe('another sentence is there now');
});

test('edits of tags go out as a table and come back', () => {
  edit(retag('c', 'O B-LOC'), retag('a', 'B-PER B-PER I-PER'));
  const { hash, editsHash } = dataset();
  const table = editsTable(store.edits.active(id));
  undo();
  store.transaction(() => {
    store.edits.insert(id, editsFromTable(table, 'edits.csv'));
    bringUpToDate(store, id);
  });
  expect(dataset()).toMatchObject({ hash, editsHash, edits: 2 });
});

test('types of entities come with tags that name them as new, and are renamed and merged in every sentence', () => {
  const refused = (...edits: EditRequest[]) => expect(() => resolveEdits(store, dataset(), edits));
  refused(retag('c', 'O B-LOK')).toThrow('no type "LOK"');
  refused(retag('c', 'O')).toThrow('1 tags for 2 words');
  refused(retag('c', 'O LOC')).toThrow('“O LOC” is no tag');
  refused({ action: 'relabel', path: 'c', to: 'LOC', newClass: false }).toThrow('have tags');
  edit(retag('c', 'O B-City of', true));
  edit({ action: 'merge', name: 'City of', into: 'LOC' }, { action: 'rename', name: 'PER', to: 'person' });
  expect(tagsNow()).toEqual(['B-person I-person O', 'O B-LOC', 'O B-LOC']);
  expect(dataset().classes).toEqual(['LOC', 'person']);
});

test('an old run keeps the tags that it was judged by; a new one is another run of other tags', () => {
  const run = store.runs.insert({ ...newRun(store), datasetId: id, task: 'token-classification' });
  const test = () => store.samples.all(id).filter(({ split }) => split === 'test');
  const predicted = [['O', 'B-LOC']];
  const doubt = { word: 1, givenP: 0.01, suggestedP: 0.9, score: 3 };
  const take = (of: number) => {
    const gold = test().map(({ text }) => text!.tags!);
    const errors = gold.map((tags, i) => spanErrors(entitiesOf(tags), entitiesOf(predicted[i])).length);
    takePredictions(store, { id: of, folder, labelOf: () => 0, toStored: (path) => path }).takeTagged(
      {
        ...{ split: 'test', first: 0, total: 1, tags: predicted, gold },
        sampleIds: Int32Array.from(test(), (one) => one.id),
        errors: Int32Array.from(errors),
        ...{ confidence: Float64Array.of(0.9), loss: Float64Array.of(0.1) },
        doubts: errors.map((count) => (count > 0 ? doubt : null)),
      },
      store.transaction,
    );
  };
  take(run);
  const shown = (of: number, type?: string) => store.predictions.page(of, 'test', { type }, 0, 10);
  const everything = () => [store.predictions.tagged(run, 'test'), shown(run), shown(run, 'ORG')];
  const before = everything();
  expect(shown(run, 'ORG').predictions[0].sample.text?.tags).toEqual(['O', 'B-ORG']);
  const { splitHash } = samplesForRun(store, dataset(), 1, 0);
  const doubted = () => labelFindings(store, dataset(), suspectTags(store.predictions.doubted(run)), 'run 1');
  expect(doubted()).toMatchObject([
    {
      path: 'c',
      label: { given: 'O B-ORG', suggested: 'O B-LOC' },
      detail: expect.stringMatching(/^“London” given ORG .* likely LOC/),
    },
  ]);

  edit(retag('c', 'O B-LOC'));
  // The sentence itself has another hash.
  const withoutHash = (found: typeof before) => JSON.stringify(found).replaceAll(/"hash":"\w+"/g, '');
  expect(withoutHash(everything())).toBe(withoutHash(before));
  expect(shown(run, 'LOC').total).toBe(0);
  // Its doubt was about other tags.
  expect(doubted()).toEqual([]);

  expect(samplesForRun(store, dataset(), 1, 0).splitHash).not.toBe(splitHash);
  const fresh = store.runs.insert({ ...newRun(store), datasetId: id, task: 'token-classification' });
  take(fresh);
  expect(shown(fresh).predictions[0]).toMatchObject({ predicted: 0, correct: true });
  expect(shown(fresh, 'LOC').total).toBe(1);
});

test('a line of tags is read word by word, whatever a type is called and in whichever scheme', () => {
  const line = 'B-Work of Art I-Work of Art O  S-PER';
  expect(splitTagLine(line)).toEqual(['B-Work of Art', 'I-Work of Art', 'O', 'S-PER']);
  expect(readTags(splitTagLine(line), 4)).toEqual({
    tags: ['B-Work of Art', 'I-Work of Art', 'O', 'B-PER'],
  });
  expect(entitiesInLine(line)).toBe('Work of Art 1–2, PER 4');
  expect(entitiesInLine('O O')).toBe('no entity');
});

test('what a network suggests for one word leaves entities elsewhere alone', () => {
  const given = 'B-LOC I-LOC I-LOC O B-PER O'.split(' ');
  // Of the first two words another place, of the fifth another type.
  const predicted = 'B-LOC I-LOC O O B-ORG I-ORG'.split(' ');
  expect(suggestedTags(given, predicted, 2).join(' ')).toBe('B-LOC I-LOC O O B-PER O');
  expect(suggestedTags(given, predicted, 5).join(' ')).toBe('B-LOC I-LOC I-LOC O B-ORG I-ORG');
});
