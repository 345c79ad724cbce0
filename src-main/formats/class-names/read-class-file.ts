import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { CotuneError } from '../../../src-shared/errors.ts';
import { decodeText, UndecodableText } from '../decode-text.ts';
import { foreignText } from '../foreign-text.ts';
import { type ClassForm, type ClassText, type NamedLine, UnreadableClasses } from './form.ts';
import { csv } from './forms/csv.ts';
import { json } from './forms/json.ts';
import { lines } from './forms/lines.ts';
import { numbered } from './forms/numbered.ts';
import { pythonDict } from './forms/python-dict.ts';
import { synsets } from './forms/synsets.ts';
import { yaml } from './forms/yaml.ts';

/** The first that recognizes a file reads it: the last takes any text. */
const forms: readonly ClassForm[] = [json, yaml, pythonDict, csv, synsets, numbered, lines];

/** ImageNet-21k in any of these forms has 2 MB. */
const maxBytes = 8 * 2 ** 20;
const maxName = 1000;

/** Class names as a file gives them. */
export interface ClassFile {
  /** What messages call it. */
  path: string;
  /** In the order of the head's outputs. */
  names: string[];
  /** Blank lines before the last name, from 1: where a name may be missing. */
  blanks: number[];
  /** What a person should know about how it was read. */
  notes: string[];
}

/**
 * Reads class names in any form and encoding that people keep them in: see forms/ and decode-text.ts. Padding, blank lines
 * and line ends are dropped. Throws `bad-input` naming the file, and the line where one is to blame; `not-found`.
 */
export function readClassFile(path: string): ClassFile {
  const refuse = (
    what: string,
    line: number | null = null,
    hint = 'Save the names as UTF-8 text, one a line.',
  ) =>
    new CotuneError(
      'bad-input',
      `${path} cannot be read as class names: ${line === null ? '' : `in line ${line}, `}${what}.`,
      hint,
    );
  const bytes = readBounded(path, refuse);
  const foreign = foreignText(bytes);
  if (foreign) throw refuse(`it is ${foreign.what}`, null, foreign.hint);
  try {
    const { text, encoding } = decodeText(bytes);
    const file = classText(path, text);
    const form = forms.find((one) => one.recognizes(file))!;
    const named = form.read(file).map(({ name, line }) => ({ name: clean(name), line }));
    check(named);
    const names = named.map(({ name }) => name);
    return { path, names, blanks: blanksBefore(file, form), notes: notes(named, encoding) };
  } catch (error) {
    if (error instanceof UndecodableText) throw refuse(error.message, error.line);
    if (error instanceof UnreadableClasses) throw refuse(error.message, error.line, 'Mend the file.');
    throw error;
  }
}

function readBounded(
  path: string,
  refuse: (what: string, line: null, hint?: string) => CotuneError,
): Uint8Array {
  const hint = 'Name a text file with one class name a line.';
  try {
    // Asked before it is opened: a pipe would keep us waiting.
    const stat = statSync(path);
    if (stat.isDirectory()) throw refuse('it is a folder', null, hint);
    if (!stat.isFile()) throw refuse('it is no ordinary file', null, hint);
    if (stat.size > maxBytes)
      throw refuse(`it has ${(stat.size / 1e6).toFixed(1)} MB, and class files have at most 8`, null);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof CotuneError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CotuneError(
      code === 'ENOENT' ? 'not-found' : 'bad-input',
      code === 'ENOENT' ? `There is no file ${path}.` : `${path} cannot be read: ${message}.`,
      hint,
      { cause: error },
    );
  }
}

function classText(path: string, raw: string): ClassText {
  const text = raw.replaceAll(/\r\n?/g, '\n');
  return { extension: extname(path).slice(1).toLowerCase(), text, lines: text.split('\n').map(clean) };
}

/** Without padding, invisible characters among it. */
const clean = (text: string): string => text.replaceAll(/^[\s\u200b\ufeff]+|[\s\u200b\ufeff]+$/g, '');

function check(named: NamedLine[]): void {
  if (named.length === 0) throw new UnreadableClasses('it holds no name');
  for (const [index, { name, line }] of named.entries()) {
    const where = line === null ? `class ${index} ` : 'it ';
    if (name === '') throw new UnreadableClasses(`${where}has no name`, line);
    if (name.length > maxName)
      throw new UnreadableClasses(`${where}has a name of ${name.length} characters`, line);
    if (/\p{Cc}/u.test(name))
      throw new UnreadableClasses(`${where}has a name with a control character`, line);
  }
}

function blanksBefore({ lines: all }: ClassText, form: ClassForm): number[] {
  if (form === json || form === yaml) return [];
  const last = all.findLastIndex((line) => line !== '');
  return all.flatMap((line, index) => (line === '' && index < last ? [index + 1] : []));
}

function notes(named: NamedLine[], encoding: string): string[] {
  const first = new Map<string, number>();
  const twice: string[] = [];
  for (const [index, { name }] of named.entries()) {
    const before = first.get(name);
    if (before === undefined) first.set(name, index);
    else twice.push(`“${name}” is class ${before} and ${index}`);
  }
  const said =
    encoding === 'Windows-1252' ? ['The class names are not UTF-8; they were read as Windows-1252.'] : [];
  if (twice.length > 0) {
    const more = twice.length > 3 ? `, and ${twice.length - 3} more stand twice` : '';
    said.push(`Class names that stand twice: ${twice.slice(0, 3).join(', ')}${more}.`);
  }
  return said;
}

/**
 * The names for `count` classes of `what`, e.g. «the head of net.pth». Throws `bad-input` naming the class file, and lines that
 * may be to blame.
 */
export function fitClasses({ path, names, blanks }: ClassFile, count: number, what: string): string[] {
  if (names.length === count) return names;
  const lines = `${blanks.slice(0, 3).join(', ')}${blanks.length > 3 ? ', …' : ''}`;
  const blank = blanks.length === 1 ? `: line ${lines} is blank` : `: lines ${lines} are blank`;
  throw new CotuneError(
    'bad-input',
    `${path} has ${names.length} class name${names.length === 1 ? '' : 's'}, and ${what} has ${count} classes${
      blanks.length > 0 && names.length < count ? blank : ''
    }.`,
    'Give one name for each class, in their order.',
  );
}
