import { CotuneError } from '../../../src-shared/errors.ts';
import { decodeText, UndecodableText } from '../../formats/decode-text.ts';
import type { FileTree } from '../trees/tree.ts';

/** Rows of one annotation file. */
export const maxRows = 2_000_000;
const maxLineLength = 65_536;
const maxTextBytes = 128 * 2 ** 20;

/**
 * The whole text of a file, whatever its encoding (`decodeText`).
 * @throws CotuneError `bad-input` where it is no text, or more than 128 MiB.
 */
export async function textOf(tree: FileTree, path: string): Promise<string> {
  const { bytes } = tree.files.get(path) ?? { bytes: 0 };
  if (bytes > maxTextBytes)
    throw new CotuneError(
      'bad-input',
      `${path} has ${Math.round(bytes / 2 ** 20)} MiB, and lists and tables may have ${maxTextBytes / 2 ** 20}.`,
      'Cut it into several files.',
    );
  try {
    return decodeText(await tree.read(path)).text;
  } catch (error) {
    if (!(error instanceof UndecodableText)) throw error;
    const place = error.line === null ? '' : `, line ${error.line}`;
    throw new CotuneError(
      'bad-input',
      `${path}${place} is not text that can be read: ${error.message}.`,
      'Save it as UTF-8.',
      { cause: error },
    );
  }
}

/** A line without blanks at its ends, and its number from 1. */
export interface TextLine {
  text: string;
  line: number;
}

/**
 * The lines of a file that hold anything.
 * @throws CotuneError as `textOf`, and for more than 2,000,000 lines or one of more than 65,536 characters.
 */
export async function textLines(tree: FileTree, path: string): Promise<Iterable<TextLine>> {
  return linesOf(await textOf(tree, path), path);
}

/** The same of a text that is there already. */
export function* linesOf(text: string, path: string): Generator<TextLine> {
  let line = 0;
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    if (end - at > maxLineLength || ++line > maxRows) throw tooMuch(path, line);
    const content = text.slice(at, end).trim();
    if (content !== '') yield { text: content, line };
    at = end + 1;
  }
}

/** The error for a list or table that no dataset has. */
export const tooMuch = (path: string, line: number): CotuneError =>
  new CotuneError(
    'bad-input',
    `${path} is no list of images: around line ${line} it goes beyond ${maxRows.toLocaleString('en')} rows or ${maxLineLength.toLocaleString('en')} characters in one.`,
    'Give a list with one image per line; a larger one in several files.',
  );
