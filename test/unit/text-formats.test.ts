import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeTexts, readTexts } from '../../src-main/text/read-texts.ts';
import { sharedPath } from '../shared-folder.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'texts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const found = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return readTexts(path);
};
const plain = { words: null, label: null, tags: null };

describe('texts of a file', () => {
  it('are lines where nothing says more', () => {
    const { format, samples } = found('a.txt', '\ufeffOne text.\r\n\r\n  العربية 😀 \n');
    expect(format).toBe('Lines');
    expect(samples).toEqual([
      { ...plain, text: 'One text.', line: 1 },
      { ...plain, text: 'العربية 😀', line: 3 },
    ]);
    expect(found('empty.txt', '').samples).toEqual([]);
  });

  it('are words with tags in CoNLL’s columns, said in which scheme', () => {
    const one = found('a.conll', '-DOCSTART- O\n\nNew B-LOC\nYork I-LOC\n\nrains O\nnow\n');
    expect(one.samples).toEqual([
      { text: 'New York', words: ['New', 'York'], label: null, tags: ['B-LOC', 'I-LOC'], line: 3 },
      { text: 'rains now', words: ['rains', 'now'], label: null, tags: ['O', 'O'], line: 6 },
    ]);
    expect(one.odd).toEqual([7]);
    expect(describeTexts('a.conll', one)).toBe(
      'a.conll: CoNLL’s columns, 2 texts, IOB2 tags, 1 document. Lines that are not as the others: 1 (7).',
    );
  });

  it('are JSON lines with a label, or with tokens and tags', () => {
    const lines = [
      { text: 'good', label: 1 },
      { tokens: ['New', 'York'], tags: ['B-LOC', 'I-LOC'] },
      { tokens: ['one'], tags: ['O', 'O'] },
      { other: 3 },
    ];
    const { samples, odd } = found('a.jsonl', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect(samples).toEqual([
      { ...plain, text: 'good', label: '1', line: 1 },
      { text: 'New York', words: ['New', 'York'], label: null, tags: ['B-LOC', 'I-LOC'], line: 2 },
    ]);
    expect(odd).toEqual([3, 4]);
  });

  it('are rows of a table, whose texts may have commas, quotes and lines', () => {
    const { samples, odd } = found('a.csv', 'id,Text,Label\n1,"a, ""b""\nc",x\n2,d,y\n3,e\n');
    expect(samples.map(({ text, label }) => [text, label])).toEqual([
      ['a, "b"\nc', 'x'],
      ['d', 'y'],
    ]);
    expect(odd).toEqual([5]);
    const tabs = found('a.tsv', 'sentence\tlabel\nan "odd one\t0\n').samples;
    expect(tabs).toMatchObject([{ text: 'an "odd one', label: '0' }]);
    expect(found('b.csv', 'no,title\n1,of a text\n').format).toBe('Table of texts');
    expect(found('c.csv', 'a sentence, with a comma\n').format).toBe('Lines');
  });

  it('are TREC’s questions with their coarse class', () => {
    const { format, samples } = found('a.label', 'NUM:dist How far is it ?\nLOC:city Where ?\n');
    expect(format).toContain('TREC');
    expect(samples.map(({ text, label }) => [text, label])).toEqual([
      ['How far is it ?', 'NUM'],
      ['Where ?', 'LOC'],
    ]);
  });

  it('are the files of a folder for each class', () => {
    for (const [label, name, text] of [
      ['neg', 'b.txt', 'bad\n'],
      ['pos', 'a.txt', 'good'],
      ['pos', 'notes.md', 'none'],
    ]) {
      mkdirSync(join(folder, 'classes', label), { recursive: true });
      writeFileSync(join(folder, 'classes', label, name), text);
    }
    expect(readTexts(join(folder, 'classes')).samples.map(({ text, label }) => [text, label])).toEqual([
      ['bad', 'neg'],
      ['good', 'pos'],
    ]);
  });

  it('are none where there is no file, or no text', () => {
    expect(() => readTexts(join(folder, 'nowhere'))).toThrow('nowhere');
    writeFileSync(join(folder, 'a.bin'), Uint8Array.of(0, 1, 2, 0x81, 0xff, 0));
    expect(() => readTexts(join(folder, 'a.bin'))).toThrow('a.bin');
  });

  const trec = sharedPath('datasets/text/trec/TREC_10.label');
  it.skipIf(!trec)('are TREC-10’s 500 in 6 classes (needs ../shared/datasets/text/trec)', () => {
    const { samples } = readTexts(trec!);
    expect(samples).toHaveLength(500);
    expect(new Set(samples.map(({ label }) => label)).size).toBe(6);
  });
});
