import { describe, expect, it } from 'vitest';
import { isConll, readConll, schemeOf } from '../../src-main/text/conll.ts';
import { readTexts } from '../../src-main/text/read-texts.ts';
import { entitiesOf } from '../../src-shared/entities.ts';
import { sharedPath } from '../shared-folder.ts';

const text = `-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O

Peter\tNNP\tI-NP\tI-PER
\tBlackburn NNP I-NP

-DOCSTART- -X- O O

New NNP I-NP B-LOC
York NNP I-NP I-LOC
`;

describe('columns of words with tags', () => {
  it('are sentences with documents, whatever divides columns, and say where a tag is missing', () => {
    const odd: number[] = [];
    const sentences = readConll(text.replaceAll('\n', '\r\n'), (line) => odd.push(line));
    expect(sentences).toEqual([
      { words: ['EU', 'rejects'], tags: ['I-ORG', 'O'], line: 3, opensDocument: true },
      { words: ['Peter', 'Blackburn'], tags: ['I-PER', 'I-NP'], line: 6, opensDocument: false },
      { words: ['New', 'York'], tags: ['B-LOC', 'I-LOC'], line: 11, opensDocument: true },
    ]);
    expect(odd).toEqual([]);
    expect(readConll('one O\ntwo\n', (line) => odd.push(line))[0].tags).toEqual(['O', 'O']);
    expect(odd).toEqual([2]);
    expect(readConll('')).toEqual([]);
  });

  it('are told from lines of text', () => {
    expect(isConll(text)).toBe(true);
    expect(isConll('A sentence about O\nand another one\n')).toBe(false);
    expect(isConll('\n\n')).toBe(false);
  });

  it.each([
    ['IOB1', [['I-A', 'I-A', 'B-A', 'O', 'I-B']]],
    ['IOB2', [['B-A', 'I-A', 'B-A', 'O', 'B-B']]],
    ['IOB2', [['O', 'O'], []]],
    ['IOBES', [['B-A', 'E-A', 'O'], ['S-B']]],
  ])('are in the scheme %s', (scheme, tags) => {
    expect(schemeOf(tags.map((one) => ({ tags: one })))).toBe(scheme);
  });

  const conll = sharedPath('datasets/text/conll2003/eng.testb');
  it.skipIf(!conll)('hold the sentences of CoNLL-2003 (needs ../shared/datasets/text/conll2003)', () => {
    const { samples, facts } = readTexts(conll!);
    expect(samples).toHaveLength(3453);
    expect(facts).toMatch(/^IOB1 tags/);
  });
});

it('entities of a type between others are counted apart', () => {
  expect(entitiesOf(['I-A', 'I-B', 'I-B', 'O', 'I-A']).map(({ type }) => type)).toEqual(['A', 'B', 'A']);
});
