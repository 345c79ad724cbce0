import type { SampleIssue } from '../../src-shared/domain.ts';
import type { Piece, Tokenizer } from './tokenizer.ts';

/** A text as a network is given it: in words where its file has them. */
export interface ReadText {
  path: string;
  text: string;
  words: readonly string[] | null;
  /** Whether every word has a tag: such a text is divided where it is too long, another one is cut. */
  tags: readonly string[] | null;
}

/** Words that are shown of a text. */
const mostShown = 5;

/**
 * What a network would not see of texts: words of which its vocabulary lacks a character, and what comes behind the last of `longest`
 * pieces, of which two are special.
 */
export function readingFindings(
  texts: readonly ReadText[],
  tokenizer: Tokenizer,
  longest: number,
): SampleIssue[] {
  return texts.flatMap(({ path, text, words, tags }) => {
    const pieces = words ? tokenizer.piecesOfWords(words) : tokenizer.pieces(text);
    const written = ({ word, begin, end }: Piece) => (words?.[word] ?? text).slice(begin, end);
    return [
      ...unknown(path, pieces, tokenizer, written),
      ...tooLong(path, pieces, longest, tags === null ? written : null),
    ];
  });
}

type Written = (piece: Piece) => string;

function unknown(
  path: string,
  pieces: readonly Piece[],
  { special }: Tokenizer,
  written: Written,
): SampleIssue[] {
  const lost = pieces.filter(({ id }) => id === special['[UNK]']);
  if (lost.length === 0) return [];
  const names = [...new Set(lost.map(written))];
  const shown = names.slice(0, mostShown).map((name) => `“${name}”`);
  const more = names.length > mostShown ? ', …' : '';
  return [
    {
      kind: 'unknown-characters',
      path,
      detail: `the network’s vocabulary has no pieces for ${shown.join(', ')}${more}: ${lost.length} of ${pieces.length} pieces are unknown`,
      score: lost.length / pieces.length,
    },
  ];
}

/** `written` where it is cut. */
function tooLong(
  path: string,
  pieces: readonly Piece[],
  longest: number,
  written: Written | null,
): SampleIssue[] {
  const kept = longest - 2;
  if (pieces.length <= kept) return [];
  return [
    {
      kind: 'too-long',
      path,
      detail: written
        ? `${pieces.length} pieces, of which the first ${kept} are read: “${written(pieces[kept])}” and what follows is cut off`
        : `${pieces.length} pieces, which are read in parts of at most ${kept}`,
      score: pieces.length,
    },
  ];
}
