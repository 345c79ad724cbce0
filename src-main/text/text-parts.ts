import type { Arrays } from '../engine/engine.ts';
import type { JobSample } from '../trainer/protocol.ts';
import type { BatchShape, StepInput } from '../transfer/step-input.ts';
import type { SingleRows } from '../transfer/term.ts';
import type { Piece, Tokenizer } from './tokenizer.ts';

/** What a network is given of a text at once. */
export interface TextPart {
  sample: JobSample;
  /** Numbers of its pieces, [CLS] and [SEP] included. */
  ids: readonly number[];
  /** Where words begin: the place of a word's first piece among the part's, and the word's number in its text. */
  words: readonly { at: number; word: number }[];
  /** Whether the text goes on behind it, and no part has that. */
  isCut?: boolean;
}

/** A text that somebody typed, in no dataset. */
export const typedText = (text: string, words: string[] | null): JobSample => ({
  ...{ id: 0, path: '', hash: '', label: -1 },
  text: { text, words, tags: null },
});

/** [CLS] and [SEP]. */
const around = 2;

const framed = ({ special }: Tokenizer, ids: readonly number[]): number[] => [
  special['[CLS]'],
  ...ids,
  special['[SEP]'],
];

/** A text as one part: what is longer than `longest` pieces loses its end. */
export function wholeText(tokenizer: Tokenizer, sample: JobSample, longest: number): TextPart {
  const { text, words } = sample.text!;
  const pieces = words ? tokenizer.piecesOfWords(words) : tokenizer.pieces(text);
  const kept = pieces.slice(0, longest - around);
  const ids = kept.map(({ id }) => id);
  return { sample, ids: framed(tokenizer, ids), words: [], isCut: kept.length < pieces.length };
}

/**
 * A text with words, all of them, in as many parts as its pieces need. A word without a piece (of control characters alone) is unknown;
 * one that is longer than a part loses its end.
 */
export function partsByWords(tokenizer: Tokenizer, sample: JobSample, longest: number): TextPart[] {
  const words = sample.text!.words!;
  const room = longest - around;
  const unknown = { id: tokenizer.special['[UNK]'] } as Piece;
  const ofWord = Map.groupBy(tokenizer.piecesOfWords(words), ({ word }) => word);
  const parts: TextPart[] = [];
  let ids: number[] = [];
  let begins: { at: number; word: number }[] = [];
  const close = () => {
    if (begins.length > 0) parts.push({ sample, ids: framed(tokenizer, ids), words: begins });
    [ids, begins] = [[], []];
  };
  for (const word of words.keys()) {
    const pieces = (ofWord.get(word) ?? [unknown]).slice(0, room);
    if (ids.length + pieces.length > room) close();
    begins.push({ at: ids.length + 1, word });
    for (const { id } of pieces) ids.push(id);
  }
  close();
  return parts;
}

/** Parts one by one, padded to the longest of them; `labeled` says what a step of one is fed besides. */
export function singleParts(
  input: StepInput,
  parts: readonly TextPart[],
  padding: number,
  labeled: (part: TextPart, shape: BatchShape) => Arrays,
): SingleRows {
  const shape = { batch: 1, size: Math.max(...parts.map(({ ids }) => ids.length)) };
  async function* rows(): AsyncGenerator<Arrays> {
    for (const part of parts) yield { ...padded([part], shape, padding), ...labeled(part, shape) };
  }
  return { input, size: shape.size, rows: rows() };
}

/** Parts as a network takes them, padded to `length`; places beyond them are padding. */
export function padded(
  parts: readonly TextPart[],
  { batch, size }: BatchShape,
  padding: number,
): { pieces: Int32Array; present: Float32Array } {
  const pieces = new Int32Array(batch * size).fill(padding);
  const present = new Float32Array(batch * size);
  for (const [row, { ids }] of parts.entries()) {
    pieces.set(ids, row * size);
    present.fill(1, row * size, row * size + ids.length);
  }
  // A text of nothing would be divided by nothing in attention.
  for (let row = parts.length; row < batch; row++) present[row * size] = 1;
  return { pieces, present };
}
