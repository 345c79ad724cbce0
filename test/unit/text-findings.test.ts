import { describe, expect, it } from 'vitest';
import { nearTexts } from '../../src-main/text/near-texts.ts';
import { readingFindings } from '../../src-main/text/reading-findings.ts';
import { type ComparableText, textFindings } from '../../src-main/text/text-findings.ts';
import { openTokenizer, specialPieces } from '../../src-main/text/tokenizer.ts';
import type { Split } from '../../src-shared/domain.ts';
import { repeatableRandom } from '../../src-shared/repeatable-random.ts';

const classified = (path: string, split: Split, text: string, label: string): ComparableText => ({
  ...{ path, split, text, label, words: null, tags: null },
});

const tagged = (path: string, split: Split, words: string, tags: string): ComparableText => ({
  ...{ path, split, text: words, label: null, words: words.split(' '), tags: tags.split(' ') },
});

const found = (texts: readonly ComparableText[]) =>
  textFindings(texts).map(({ kind, path, other, detail }) => [kind, path, other, detail]);

const long =
  'The committee will meet again on Monday to decide whether the bridge over the river is repaired';

describe('findings of texts', () => {
  it('name each text that repeats another once, across splits first, and whose labels contradict', () => {
    expect(
      found([
        classified('a:1', 'train', 'Who  wrote it?', 'human'),
        classified('a:2', 'train', 'Who wrote it? ', 'human'),
        classified('b:1', 'test', 'Who wrote it?', 'entity'),
        classified('b:2', 'test', 'Who wrote it?', 'entity'),
        classified('a:3', 'train', 'Where is it?', 'place'),
        classified('a:4', 'train', 'Where were they?', 'place'),
      ]),
    ).toEqual([
      ['exact-duplicate', 'a:2', 'a:1', 'the same text'],
      ['label-conflict', 'b:1', 'a:1', 'entity here, human there, across splits: train and test'],
      ['exact-duplicate', 'b:2', 'b:1', 'the same text'],
    ]);
  });

  it('are of texts that differ by case, punctuation or a word of many', () => {
    expect(
      found([
        classified('1', 'train', long, 'x'),
        classified('2', 'test', `${long.toUpperCase()}!`, 'x'),
        classified('3', 'train', long.replace('Monday', 'Friday'), 'y'),
        classified('4', 'train', 'The committee will meet the press tomorrow', 'y'),
        classified('5', 'train', '...', 'x'),
        classified('6', 'train', '!!!', 'x'),
      ]),
    ).toEqual([
      [
        'near-duplicate',
        '2',
        '1',
        '100 % of their words and pairs of words are the same, across splits: train and test',
      ],
      [
        'near-duplicate',
        '2',
        '3',
        '82 % of their words and pairs of words are the same, with another label or other tags, across splits: train and test',
      ],
    ]);
  });

  it('tell other tags of the same words, whatever scheme they are in', () => {
    expect(
      found([
        tagged('1', 'train', 'U.N. in Rome', 'B-ORG O B-LOC'),
        tagged('2', 'train', 'U.N. in Rome', 'I-ORG O I-LOC'),
        tagged('3', 'train', 'U.N. in Rome', 'O O B-LOC'),
        tagged('4', 'train', 'Rome Paris', 'B-LOC B-LOC'),
        tagged('5', 'train', 'Rome Paris', 'B-LOC I-LOC'),
      ]),
    ).toEqual([
      ['exact-duplicate', '2', '1', 'the same text'],
      ['label-conflict', '3', '1', '“U.N.” is O here, ORG there'],
      ['label-conflict', '5', '4', 'entities end elsewhere here'],
    ]);
  });

  it('are of texts without content, and of classes with one text', () => {
    expect(
      found([
        classified('1', 'train', ' \n', 'x'),
        classified('2', 'train', 'one', 'x'),
        classified('3', 'train', 'two', 'y'),
        classified('4', 'train', 'three', 'y'),
      ]),
    ).toEqual([
      ['empty', '1', undefined, 'there is nothing in it'],
      ['single-in-class', '2', undefined, 'the only text of x'],
    ]);
  });
});

it('near texts are those of all pairs whose sets agree to 80 %', () => {
  const random = repeatableRandom(3);
  const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  // Copies of a few texts with some words exchanged: many pairs lie about the threshold.
  const models = Array.from({ length: 6 }, () =>
    Array.from({ length: 14 }, () => letters[Math.floor(8 * random())]),
  );
  const texts = Array.from({ length: 120 }, (_, at) =>
    models[at % 6].map((word) => (random() < 0.06 ? letters[Math.floor(8 * random())] : word)).join(' '),
  );
  const sets = texts.map((text) => {
    const words = text.split(' ');
    return new Set([...words, ...words.slice(1).map((word, at) => `${words[at]} ${word}`)]);
  });
  const wanted = sets.map((own, index) =>
    sets.slice(0, index).flatMap((other, at) => {
      const shared = [...own].filter((member) => other.has(member)).length;
      return shared / (own.size + other.size - shared) >= 0.8 ? [at] : [];
    }),
  );
  expect(nearTexts(texts).map((near) => near.map(({ other }) => other).sort((a, b) => a - b))).toEqual(
    wanted,
  );
  expect(wanted.flat().length).toBeGreaterThan(100);
});

it('what a network’s pieces do not have, and what is beyond its length, is found by the network’s own tokenizer', () => {
  const tokenizer = openTokenizer({
    ...{ vocabulary: [...specialPieces, 'the', 'cat', '##s', '.'], longestWord: 100 },
    ...{ lowercase: true, stripAccents: true, splitIdeographs: true },
  });
  const texts = [
    { path: '1', text: 'The cats.', words: null, tags: null },
    { path: '2', text: 'The cats. The cats.', words: null, tags: null },
    { path: '3', text: '猫 the ☃ the ☃', words: ['猫', 'the', '☃', 'the', '☃'], tags: null },
    { path: '4', text: 'the the the the the the the', words: Array(7).fill('the'), tags: Array(7).fill('O') },
  ];
  expect(readingFindings(texts, tokenizer, 8).map(({ kind, path, detail }) => [kind, path, detail])).toEqual([
    ['too-long', '2', '8 pieces, of which the first 6 are read: “s” and what follows is cut off'],
    [
      'unknown-characters',
      '3',
      'the network’s vocabulary has no pieces for “猫”, “☃”: 3 of 5 pieces are unknown',
    ],
    ['too-long', '4', '7 pieces, which are read in parts of at most 6'],
  ]);
});
