import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { decodeText, UndecodableText } from '../formats/decode-text.ts';
import { explainSystemError } from '../formats/system-error.ts';
import type { ReadTexts } from './formats/format.ts';
import { textFormats } from './formats/index.ts';

/** Texts of one file, or of a folder with a folder of text files for each class, and how they are kept. */
export interface FoundTexts extends ReadTexts {
  /** Title of the format. */
  format: string;
}

/** Errors: `not-found`, and `bad-input` where a file is no text. */
export function readTexts(path: string): FoundTexts {
  if (isFolder(path)) return readClassFolders(path);
  const content = contentOf(path);
  const extension = extname(path).toLowerCase();
  const format = textFormats.find((one) => one.is(content, extension))!;
  return { format: format.title, ...format.read(content, extension) };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw explainSystemError(error, { path });
  }
}

/** Every file ending with .txt in the folders below, a text each; the folder's name is its label. */
function readClassFolders(folder: string): FoundTexts {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const samples = entries
    .map(({ name }) => name)
    .sort()
    .flatMap((label) =>
      readdirSync(join(folder, label))
        .filter((name) => name.toLowerCase().endsWith('.txt'))
        .sort()
        .map((name) => {
          const text = contentOf(join(folder, label, name)).trim();
          return { text, words: null, label, tags: null, line: 1 };
        }),
    );
  return { format: 'A folder of text files for each class', samples, facts: '', odd: [] };
}

function contentOf(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw explainSystemError(error, { path });
  }
  try {
    return decodeText(bytes, { controls: true }).text;
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

/** What was found in a file, a sentence or two. */
export function describeTexts(path: string, { format, samples, facts, odd }: FoundTexts): string {
  const labels = new Set(samples.flatMap(({ label }) => label ?? []));
  const parts = [
    `${samples.length} texts`,
    ...(labels.size > 0 ? [`${labels.size} labels`] : []),
    ...(facts ? [facts] : []),
  ];
  const shown = odd.slice(0, 3).join(', ') + (odd.length > 3 ? ', …' : '');
  const left = odd.length > 0 ? ` Lines that are not as the others: ${odd.length} (${shown}).` : '';
  return `${path}: ${format}, ${parts.join(', ')}.${left}`;
}
