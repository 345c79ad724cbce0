import { readFileSync } from 'node:fs';
import { CotuneError } from '../../src-shared/errors.ts';
import { decodeText, UndecodableText } from '../formats/decode-text.ts';
import { explainSystemError } from '../formats/system-error.ts';
import { isConll, readConll } from './conll.ts';

/**
 * The texts of a file: every line that is not empty, or every sentence of a file in CoNLL's columns. Errors: `bad-input` where it is
 * no text.
 */
export function readTexts(path: string): string[] {
  const text = textOf(path);
  if (isConll(text)) return readConll(text).map(({ words }) => words.join(' '));
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);
}

function textOf(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw explainSystemError(error, { path });
  }
  try {
    return decodeText(bytes).text;
  } catch (error) {
    if (!(error instanceof UndecodableText)) throw error;
    const where = error.line === null ? '' : `, line ${error.line}`;
    throw new CotuneError(
      'bad-input',
      `${path}${where}: ${error.message}`,
      'Save it as UTF-8, and try again.',
      { cause: error },
    );
  }
}
