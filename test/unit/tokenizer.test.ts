/**
 * WordPiece against texts that were cut by the published algorithm (test/fixtures/tokenizer). Of the uncased vocabulary there are the
 * pieces that occur in these texts.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openTokenizer, type TokenizerSettings } from '../../src-main/text/tokenizer.ts';

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/tokenizer/${name}`, import.meta.url), 'utf8'));
const expected = fixture('expected.json');
const { uncased, cased } = fixture('vocabularies.json');
const filled = Array.from({ length: 30_522 }, (_, id) => uncased[id] ?? `[unused ${id}]`);

const open = (vocabulary: readonly string[], lower: boolean, more: Partial<TokenizerSettings> = {}) =>
  openTokenizer({
    vocabulary,
    lowercase: lower,
    stripAccents: lower,
    splitIdeographs: true,
    longestWord: 100,
    ...more,
  });
const uncasedTokenizer = open(filled, true);
const tokenizers = new Map([
  ['uncased true', uncasedTokenizer],
  ['uncased false', open(filled, false)],
  ['cased_small false', open(cased, false)],
]);

describe('WordPiece', () => {
  it.each<Record<string, never>>(expected.texts)('cuts as published: $name, $vocab', (one) => {
    const { vocab, lower, text, ids, tokens, word_index, offsets_utf16 } = one;
    const tokenizer = tokenizers.get(`${vocab} ${lower}`)!;
    const pieces = tokenizer.pieces(text);
    expect(pieces.map(({ id }) => id)).toEqual(ids);
    expect(pieces.map(({ id }) => tokenizer.settings.vocabulary[id])).toEqual(tokens);
    expect(pieces.map(({ word }) => word)).toEqual(word_index);
    expect(pieces.map(({ begin, end }) => [begin, end])).toEqual(offsets_utf16);
  });

  it('knows the given word of every piece, and words that have none', () => {
    for (const { words, ids, word_index, first_token_of_word } of expected.words) {
      const pieces = uncasedTokenizer.piecesOfWords(words);
      expect(pieces.map(({ id }) => id)).toEqual(ids);
      expect(pieces.map(({ word }) => word)).toEqual(word_index);
      const firsts = words.map((_: string, word: number) => pieces.findIndex((piece) => piece.word === word));
      expect(firsts.map((at: number) => (at < 0 ? null : at))).toEqual(first_token_of_word);
    }
  });

  it('encodes one text or two, and shortens the longer one', () => {
    const cases = [
      ...expected.encode_single.map((one: { text: string }) => ({ ...one, texts: [one.text] })),
      ...expected.encode_pair.map((one: { a: string; b: string }) => ({ ...one, texts: [one.a, one.b] })),
    ];
    for (const { texts, max_length: length, ...want } of cases) {
      const pieces = texts.map((text: string) => uncasedTokenizer.pieces(text));
      const { pieces: ids, segments, present, words, kept } = uncasedTokenizer.encode(pieces, length);
      expect([...ids]).toEqual(want.input_ids);
      expect([...segments]).toEqual(want.token_type_ids);
      expect([...present]).toEqual(want.attention_mask);
      expect([...words].map((word) => (word < 0 ? null : word))).toEqual(want.word_index);
      expect(kept).toEqual(want.kept);
    }
  });

  it('names the special pieces that a vocabulary lacks', () => {
    expect(() => open(['[PAD]', '[UNK]', 'a'], false)).toThrow('lacks [CLS], [SEP], [MASK]');
  });
});
