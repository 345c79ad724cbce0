import { Tokenizer as Library } from '@huggingface/tokenizers';
import { CotuneError } from '../../src-shared/errors.ts';
import { type Word, type WordRules, wordsOf } from './words.ts';

/** One piece of a text: its number in the vocabulary, its word, and where it came from. */
export interface Piece {
  id: number;
  /** Number of the word among the text's. */
  word: number;
  /** [begin, end) in the text, in UTF-16 units. */
  begin: number;
  end: number;
}

export interface TokenizerSettings extends WordRules {
  /** Every piece, in the order of the network's numbers. */
  vocabulary: readonly string[];
  /** Characters of the longest word that is cut up; longer ones are unknown. */
  longestWord: number;
}

/** Pieces that mean something besides text, in the order in which a new vocabulary begins. */
export const specialPieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/** What a network is fed of one text or two, filled up with padding. */
export interface Encoded {
  pieces: Int32Array;
  /** 1 for pieces of the second text and the separator behind it. */
  segments: Int32Array;
  /** 1 where there is a piece, 0 for padding. */
  present: Float32Array;
  /** The word of every piece in its own text; -1 for special ones and padding. */
  words: Int32Array;
  /** Pieces of each text that were kept. */
  kept: number[];
}

/** WordPiece: Schuster and Nakajima, «Japanese and Korean Voice Search», ICASSP 2012; as BERT has it. */
export interface Tokenizer {
  readonly settings: TokenizerSettings;
  readonly special: Readonly<Record<(typeof specialPieces)[number], number>>;
  /** Without special pieces. */
  pieces(text: string): Piece[];
  /** Of a text that is cut into words already: a piece's word is the given one, and its place is in that. */
  piecesOfWords(words: readonly string[]): Piece[];
  /**
   * [CLS] text [SEP], or [CLS] first [SEP] second [SEP], of `length` pieces. What is too long loses its end: of two texts the longer
   * one piece after the other, of equally long ones the second.
   */
  encode(texts: readonly (readonly Piece[])[], length: number): Encoded;
}

/** Errors: `bad-input` where the vocabulary lacks a special piece. */
export function openTokenizer(settings: TokenizerSettings): Tokenizer {
  const { vocabulary } = settings;
  const numbers = new Map(vocabulary.map((piece, id) => [piece, id]));
  const missing = specialPieces.filter((piece) => !numbers.has(piece));
  if (missing.length > 0)
    throw new CotuneError(
      'bad-input',
      `The vocabulary lacks ${missing.join(', ')}.`,
      'Give the vocabulary of a BERT: a piece in each line of vocab.txt.',
    );
  const special = Object.fromEntries(
    specialPieces.map((piece) => [piece, numbers.get(piece)!]),
  ) as Tokenizer['special'];
  const library = new Library(libraryFile(settings), {});
  /** Pieces of words that came before: most words of a text did. */
  const known = new Map<string, string[]>();
  const cut = (word: string): string[] => {
    const pieces = known.get(word) ?? library.model!.encode([word]);
    if (known.size < mostKnown) known.set(word, pieces);
    return pieces;
  };

  function piecesOf({ characters, begins, ends }: Word, word: number): Piece[] {
    const pieces = cut(characters.join(''));
    if (pieces.length === 1 && pieces[0] === '[UNK]')
      return [{ id: special['[UNK]'], word, begin: begins[0], end: ends.at(-1)! }];
    let at = 0;
    return pieces.map((piece) => {
      const first = at;
      at += [...piece].length - (first > 0 ? 2 : 0);
      return { id: numbers.get(piece)!, word, begin: begins[first], end: ends[at - 1] };
    });
  }

  return {
    settings,
    special,
    pieces: (text) => wordsOf(text, settings).flatMap(piecesOf),
    piecesOfWords: (words) =>
      words.flatMap((word, index) => wordsOf(word, settings).flatMap((part) => piecesOf(part, index))),
    encode: (texts, length) => encoded(texts, length, special),
  };
}

/** Words whose pieces are remembered. */
const mostKnown = 100_000;

function encoded(
  texts: readonly (readonly Piece[])[],
  length: number,
  special: Tokenizer['special'],
): Encoded {
  const pieces = new Int32Array(length).fill(special['[PAD]']);
  const segments = new Int32Array(length);
  const present = new Float32Array(length);
  const words = new Int32Array(length).fill(-1);
  const kept = keptOf(
    texts.map((text) => text.length),
    length - 1 - texts.length,
  );
  let at = 0;
  const put = (id: number, segment: number, word = -1) => {
    pieces[at] = id;
    segments[at] = segment;
    words[at] = word;
    present[at++] = 1;
  };
  put(special['[CLS]'], 0);
  for (const [segment, text] of texts.entries()) {
    for (const { id, word } of text.slice(0, kept[segment])) put(id, segment, word);
    put(special['[SEP]'], segment);
  }
  return { pieces, segments, present, words, kept };
}

/** How many of each text's pieces stay where there is room for so many. */
function keptOf(counts: readonly number[], room: number): number[] {
  const [first, second] = counts;
  if (second === undefined) return [Math.min(first, room)];
  const over = Math.max(0, first + second - room);
  // The longer one loses pieces until both are equally long; then they take turns, and the second begins.
  const alone = Math.min(over, Math.abs(first - second));
  const [inTurns, odd] = [Math.floor((over - alone) / 2), (over - alone) % 2];
  return [
    first - inTurns - (first > second ? alone : 0),
    second - inTurns - odd - (first > second ? 0 : alone),
  ];
}

/** The library's form, which is also that of a tokenizer.json. */
export const libraryFile = (settings: TokenizerSettings): object => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: specialPieces.map((content) => ({
    id: settings.vocabulary.indexOf(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: settings.splitIdeographs,
    strip_accents: settings.stripAccents,
    lowercase: settings.lowercase,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]'), sequence('A', 0), special('[SEP]')],
    pair: [special('[CLS]'), sequence('A', 0), special('[SEP]'), sequence('B', 1), special('[SEP]', 1)],
    special_tokens: Object.fromEntries(
      ['[CLS]', '[SEP]'].map((piece) => [
        piece,
        { id: piece, ids: [settings.vocabulary.indexOf(piece)], tokens: [piece] },
      ]),
    ),
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: settings.longestWord,
    vocab: Object.fromEntries(settings.vocabulary.map((piece, id) => [piece, id])),
  },
});

const special = (id: string, type = 0) => ({ SpecialToken: { id, type_id: type } });
const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
