import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { CotuneError } from '../../../src-shared/errors.ts';
import { isImage } from '../folder.ts';
import type { FileTree } from '../trees/tree.ts';
import { jsonMembers } from './json-members.ts';
import { openParquet, parquetRows } from './parquet-table.ts';
import { linesOf, maxRows, textOf, tooMuch } from './text-lines.ts';

/** A row of a table: its cells in the order of the columns, and where it stands, for findings: `line 3`. */
export interface TableRow {
  cells: string[];
  at: string;
}

/** A table of text: CSV, TSV, JSON lines, a JSON array of objects, or a Parquet file without images. */
export interface Table {
  path: string;
  /** Names of the columns, numbers from 1 where it has none. */
  columns: string[];
  /** Every row, anew each time. Errors: `bad-input` where it cannot be read to its end. */
  rows(): AsyncIterable<TableRow>;
}

/** Rows by which the columns of a table without a header line of its own are known. */
const looked = 200;
const maxColumns = 2000;
const maxCellLength = 65_536;
const delimiters = [',', '\t', ';', '|'];

/** Extensions of tables that are text. */
export const tableExtensions = ['.csv', '.tsv', '.jsonl', '.ndjson', '.json'];

/** The table in a file of the tree, or null where it is none. Errors: `bad-input` where it cannot be read. */
export async function openTable(tree: FileTree, path: string): Promise<Table | null> {
  if (/\.(jsonl|ndjson)$/i.test(path)) return objectTable(path, () => jsonLines(tree, path));
  if (/\.json$/i.test(path)) return objectTable(path, () => jsonArray(tree, path));
  if (/\.parquet$/i.test(path)) return await parquetTable(tree, path);
  return delimited(tree, path);
}

async function delimited(tree: FileTree, path: string): Promise<Table | null> {
  const text = await textOf(tree, path);
  const delimiter = /\.tsv$/i.test(path) ? '\t' : delimiterOf(text);
  const records = () => parsed(text, path, delimiter);
  const first = await firstOf(records());
  if (!first || first.cells.length > maxColumns) return null;
  // A line that names a picture is no header.
  const hasHeader = !first.cells.some((cell) => isImage(cell.trim()));
  const columns = hasHeader
    ? distinct(first.cells.map((cell) => cell.trim()))
    : first.cells.map((_, index) => String(index + 1));
  return {
    path,
    columns,
    async *rows() {
      let isFirst = hasHeader;
      for await (const row of records()) {
        if (!isFirst) yield row;
        isFirst = false;
      }
    },
  };
}

async function* parsed(text: string, path: string, delimiter: string): AsyncGenerator<TableRow> {
  const parser = Readable.from(pieces(text)).pipe(
    parse({
      bom: true,
      delimiter,
      info: true,
      max_record_size: maxColumns * 64 + maxCellLength,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
    }),
  );
  let count = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (++count > maxRows) throw tooMuch(path, info.lines);
      yield { cells: record, at: `line ${info.lines}` };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new CotuneError(
      'bad-input',
      `${path} is no table that can be read: around line ${(error as CsvError & { lines?: number }).lines ?? count + 1}: ${error.message}.`,
      'Save it as CSV in UTF-8, texts with commas in quotes.',
      { cause: error },
    );
  }
}

function* pieces(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 65_536) yield text.slice(at, at + 65_536);
}

/** The delimiter that the first line has most of. */
function delimiterOf(text: string): string {
  const line = text.slice(0, maxCellLength).split(/\r?\n/, 1)[0];
  const counts = delimiters.map((delimiter) => line.split(delimiter).length);
  return delimiters[counts.indexOf(Math.max(...counts))];
}

/** A table of objects has the columns that its first rows have among them. */
async function objectTable(
  path: string,
  objects: () => AsyncIterable<[object, string]>,
): Promise<Table | null> {
  const columns = new Set<string>();
  let count = 0;
  for await (const [object] of objects()) {
    for (const key of Object.keys(object)) columns.add(key);
    if (columns.size > maxColumns) return null;
    if (++count === looked) break;
  }
  if (columns.size === 0) return null;
  const names = [...columns];
  return {
    path,
    columns: names,
    async *rows() {
      for await (const [object, at] of objects())
        yield { cells: names.map((name) => cellOf((object as Record<string, unknown>)[name])), at };
    },
  };
}

/** A value as the text that a table would hold; nothing for an object, or an array of more than plain values. */
export function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) && value.every((one) => typeof one !== 'object') ? value.join(',') : '';
}

/** The columns of a Parquet file that hold plain values. */
async function parquetTable(tree: FileTree, path: string): Promise<Table> {
  const file = await openParquet(tree, path);
  const columns = file.columns.filter(({ fields, isBinary }) => fields.length === 0 && !isBinary);
  const names = columns.map(({ name }) => name);
  return {
    path,
    columns: names,
    async *rows() {
      let row = 0;
      for (const values of parquetRows(file, path, names))
        yield { cells: values.map(cellOf), at: `row ${++row}` };
    },
  };
}

async function* jsonLines(tree: FileTree, path: string): AsyncGenerator<[object, string]> {
  for (const { text, line } of linesOf(await textOf(tree, path), path)) {
    // A line that is no object is a row without values, and so a finding.
    yield [objectIn(text), `line ${line}`];
  }
}

/** What a text of JSON holds, without anything where it is no object. Bounded by the length of a line, and so in depth. */
function objectIn(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

async function* jsonArray(tree: FileTree, path: string): AsyncGenerator<[object, string]> {
  for await (const { key, index, value } of jsonMembers(tree, path, (one) => one === ''))
    if (key === '' && index !== null) yield [Object(value) as object, `entry ${index + 1}`];
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | null> {
  for await (const item of items) return item;
  return null;
}

/** Column names, each of them once: those that stand again get a number. */
function distinct(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name, index) => {
    const plain = name === '' ? String(index + 1) : name;
    const count = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, count);
    return count === 1 ? plain : `${plain} (${count})`;
  });
}
