import { describe, expect, test } from 'vitest';
import type { DatasetFormat, FoundImage } from '../../src-main/data/formats/format.ts';
import { datasetFormats } from '../../src-main/data/formats/index.ts';
import { importTexts } from '../../src-main/data/import-texts.ts';
import type { Listing } from '../../src-main/data/list-images.ts';
import { type Files, memoryTree } from '../memory-tree.ts';

const conll = (...sentences: string[]) =>
  ['-DOCSTART- -X- O O', ...sentences.map((one) => one.replaceAll(' | ', '\n'))].join('\n\n');

const layouts: Record<string, Files> = {
  conll: {
    'eng.train': conll('Ada X I-PER | met X O | Bob X I-PER | Roy X B-PER', 'Bonn X I-LOC | . X O'),
    'eng.testa': conll('She X O'),
    'eng.testb': conll('Rome X I-LOC'),
    README: 'CoNLL-2003',
  },
  'json-lines': {
    'data/train.jsonl':
      '{"tokens": ["Ada", "slept"], "tags": ["B-PER", "O"]}\n{"tokens": ["Odd"], "tags": []}\n',
    'data/test.jsonl': '{"tokens": ["Rome"], "tags": ["S-LOC"]}\n',
  },
  'text-table': {
    'train.csv': 'label,text\nspam,"buy, now"\nham,hello\n',
    'test.csv': 'label,text\nham,bye\n',
  },
  trec: {
    'train_5500.label': 'NUM:count How many ?\nHUM:ind Who ?\n',
    'TREC_10.label': 'LOC:city Where ?\n',
  },
  'text-folders': {
    'train/pos/1.txt': 'good',
    'train/pos/2.txt': 'fine',
    'train/pos/3.txt': 'nice',
    'train/neg/1.txt': 'bad',
    'test/neg/9.txt': 'awful',
  },
};

async function listed(
  files: Files,
): Promise<{ format: DatasetFormat; found: FoundImage[]; listing: Listing }> {
  const tree = memoryTree(files);
  const sure = await Promise.all(
    datasetFormats.map(async (format) => ({ format, of: (await format.detect(tree))?.confidence ?? 0 })),
  );
  const [{ format }] = sure.sort((a, b) => b.of - a.of);
  const listing: Listing = {
    format: { name: format.name, title: format.title, why: '' },
    holds: 'texts',
    classes: null,
    unlabelled: [],
    issues: [],
    notes: [],
    stamps: new Map(),
  };
  const found: FoundImage[] = [];
  const options = {
    tell: (note: string) => void listing.notes.push(note),
    issue: (issue: Listing['issues'][number]) => void listing.issues.push(issue),
    unlabelled: () => {},
    classes: () => {},
    layout: { splits: 'names' as const },
    columns: {},
    values: {},
  };
  for await (const one of format.read(tree, options)) found.push(one);
  return { format, found, listing };
}

async function imported(files: Files) {
  const { format, found, listing } = await listed(files);
  return { name: format.name, ...importTexts(found, listing, 0) };
}

describe('a dataset of texts', () => {
  test.each(['conll', 'json-lines', 'text-table', 'trec', 'text-folders'])('lies as %s', async (name) => {
    const dataset = await imported(layouts[name]);
    expect(dataset.name).toBe(name);
    expect(dataset.samples.filter(({ split }) => split === 'test')).toHaveLength(1);
  });

  test('has tags in IOB2, whatever its files had, and the types of its entities as classes', async () => {
    const { task, classes, samples } = await imported(layouts.conll);
    expect([task, classes]).toEqual(['token-classification', ['LOC', 'PER']]);
    expect(samples.map(({ path, split, label, text }) => [path, split, label, text!.tags])).toEqual([
      ['eng.testa:3', 'val', -1, ['O']],
      ['eng.testb:3', 'test', -1, ['B-LOC']],
      ['eng.train:3', 'train', -1, ['B-PER', 'O', 'B-PER', 'B-PER']],
      ['eng.train:8', 'train', -1, ['B-LOC', 'O']],
    ]);
  });

  test('with labels has them as classes, and names what cannot be used', async () => {
    const { task, classes, samples } = await imported(layouts['text-table']);
    expect([task, classes]).toEqual(['text-classification', ['ham', 'spam']]);
    expect(samples.map(({ label, text }) => [label, text!.text])).toEqual([
      [0, 'bye'],
      [1, 'buy, now'],
      [0, 'hello'],
    ]);
    const odd = await imported(layouts['json-lines']);
    expect(odd.issues).toEqual([
      { kind: 'bad-row', path: 'data/train.jsonl:2', detail: 'the line is not as the others' },
    ]);
  });

  test('keeps what is odd, and says what is without a word', async () => {
    const long = Array.from({ length: 10_000 }, () => 'word').join(' ');
    const rows = [long, '🦉 👩‍👩‍👧', 'مرحبا بالعالم', ' '].map((text) =>
      JSON.stringify({ text, label: 'a' }),
    );
    const { samples, issues } = await imported({
      'train.jsonl': rows.join('\n'),
      'test.jsonl': '{"text": "new", "label": "b"}',
    });
    expect(samples).toHaveLength(4);
    expect(issues).toContainEqual({
      kind: 'empty',
      path: 'train.jsonl:4',
      detail: 'there is nothing in it',
    });
  });

  test('loses no file in silence: control characters are kept, and what is not read is named with its reason', async () => {
    const { listing, found } = await listed({
      'train.txt': 'Ada B-PER\n\u0007 O\n\u001b O\n',
      'test.txt': 'Rome B-LOC\n',
      'dev.txt': Uint8Array.of(0xff, 0xfe, 0xfe),
      'notes.txt': 'nothing of the kind\n',
    });
    expect(found.map(({ path, text }) => [path, text!.words])).toEqual([
      ['test.txt:1', ['Rome']],
      ['train.txt:1', ['Ada', '\u0007', '\u001b']],
    ]);
    expect(listing.issues).toEqual([
      { kind: 'broken', path: 'dev.txt', detail: expect.stringContaining('UTF-16') },
    ]);
    expect(listing.notes.join()).toContain('Not read, being other than “CoNLL’s columns”: notes.txt.');
  });

  test('are not seen in a table whose first line ends inside a cell', async () => {
    const tree = memoryTree({ 'a.csv': 'path,"p(line\nbreak)"\nb/1.png,0.1\n' });
    const texts = datasetFormats.filter(({ name }) => name.startsWith('text-'));
    for (const format of texts) expect(await format.detect(tree), format.name).toBeNull();
  });

  test('is told by reading each of its files once', async () => {
    const tree = memoryTree(layouts['text-table']);
    const read: string[] = [];
    const counted = { ...tree, read: (path: string) => tree.read(path).finally(() => read.push(path)) };
    for (const { name, detect } of datasetFormats)
      if (['conll', 'json-lines', 'text-table', 'trec'].includes(name)) await detect(counted);
    expect(read).toEqual(['test.csv', 'train.csv']);
  });

  test('of labels and of tags at once is refused', async () => {
    const mixed = { 'a.jsonl': '{"text": "x", "label": "a"}\n{"tokens": ["x"], "tags": ["O"]}' };
    await expect(imported(mixed)).rejects.toThrow(/1 of 2 texts have tags/);
  });

  test('without a test split gets one: a fifth, equal texts together', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `a,text ${i % 20}\n`).join('');
    const { samples, notes } = await imported({ 'all.csv': `label,text\n${rows}` });
    const test = samples.filter(({ split }) => split === 'test').map(({ text }) => text!.text);
    const train = new Set(samples.flatMap(({ split, text }) => (split === 'train' ? [text!.text] : [])));
    expect(test).toHaveLength(8);
    expect(test.some((text) => train.has(text))).toBe(false);
    expect(notes.join()).toMatch(/fifth/);
  });
});
