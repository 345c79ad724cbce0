import {
  byIndex,
  type ClassForm,
  type ClassText,
  type NamedLine,
  numbersAll,
  UnreadableClasses,
} from '../form.ts';

/** Titles of the column that holds the names, the better ones first. */
const nameTitles = [
  'class_name',
  'classname',
  'label_name',
  'category_name',
  'name',
  'names',
  'label',
  'class',
  'category',
  'title',
  'word',
  'words',
  'description',
];
const indexTitles = [
  'index',
  'idx',
  'id',
  'class_id',
  'classid',
  'class_index',
  'label_id',
  'category_id',
  'number',
  'no',
  '#',
  '',
];

interface Row {
  cells: string[];
  line: number;
}

/** A table: comma-, semicolon- or tab-separated (RFC 4180), with a header that names its columns, or as `.csv` without one. */
export const csv: ClassForm = {
  title: 'a table',
  recognizes: (file) => isTable(file) || headerOf(firstLine(file)) !== null,
  read(file) {
    const rows = rowsOf(file);
    const header = rows.length > 1 ? headerOf(rows[0].cells, isTable(file) ? 1 : 2) : null;
    return header ? withHeader(rows, header) : withoutHeader(rows);
  },
};

const isTable = ({ extension }: ClassText): boolean => extension === 'csv' || extension === 'tsv';

/** Columns of the names and of the indices, where the first row is a header. */
function headerOf(cells: string[], atLeast = 2): { name: number; index: number } | null {
  const titles = cells.map((cell) => cell.toLowerCase().replaceAll(/[\s-]+/g, '_'));
  if (titles.length < atLeast) return null;
  const best = nameTitles.find((title) => titles.includes(title));
  const index = titles.findIndex((title) => indexTitles.includes(title));
  const name = titles.indexOf(best ?? '');
  if (best === undefined || (titles.length > 1 && index < 0 && !titles.every(known))) return null;
  return { name, index };
}

const known = (title: string): boolean =>
  nameTitles.includes(title) ||
  indexTitles.includes(title) ||
  /^(synset|wnid|wordnet_id|supercategory|count)$/.test(title);

function withHeader([head, ...rows]: Row[], { name, index }: { name: number; index: number }): NamedLine[] {
  const named = rows.map(({ cells, line }) => {
    if (cells.length !== head.cells.length)
      throw new UnreadableClasses(
        `it has ${cells.length} cells where the header has ${head.cells.length}`,
        line,
      );
    return { name: cells[name], line };
  });
  if (index < 0) return named;
  const indices = rows.map(({ cells }) => (/^\d+$/.test(cells[index]) ? Number(cells[index]) : Number.NaN));
  // A column called id may hold anything; it orders the names where it numbers them.
  if (indices.some(Number.isNaN)) return named;
  return byIndex(named.map((entry, at) => ({ index: indices[at], named: entry })));
}

function withoutHeader(rows: Row[]): NamedLine[] {
  for (const column of [0, 1]) {
    const indices = rows.map(({ cells }) =>
      /^\d+$/.test(cells[column] ?? '') ? Number(cells[column]) : Number.NaN,
    );
    if (rows.length > 1 && rows.every(({ cells }) => cells.length >= 2) && numbersAll(indices))
      return byIndex(
        rows.map(({ cells, line }, at) => ({
          index: indices[at],
          named: { name: cells[column === 0 ? cells.length - 1 : 0], line },
        })),
      );
  }
  const wide = rows.find(({ cells }) => cells.length > 1);
  if (wide && rows.every(({ cells }) => cells.length === wide.cells.length))
    throw new UnreadableClasses(
      'it has several columns, and no header says which holds the names',
      wide.line,
    );
  // Names that hold commas, unquoted: each line is one name.
  return rows.map(({ cells, line }) => ({ name: cells.join(', '), line }));
}

const delimiterOf = (line: string): string => ['\t', ';', ','].find((sign) => line.includes(sign)) ?? ',';

/** The cells of a first line that could be a header, whose titles need no quotes but may have them. */
function firstLine({ lines }: ClassText): string[] {
  const first = lines.find((line) => line !== '') ?? '';
  return first.split(delimiterOf(first)).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

/** Rows of a table, quoted cells with line breaks included, blank lines left out. */
function rowsOf({ text, lines }: ClassText): Row[] {
  const delimiter = delimiterOf(lines.find((line) => line !== '') ?? '');
  const rows: Row[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let start = 1;
  const endRow = () => {
    cells.push(cell.trim());
    if (cells.some((value) => value !== '')) rows.push({ cells, line: start });
    cells = [];
    cell = '';
  };
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    if (quoted) {
      if (sign === '\n') line++;
      if (sign !== '"') cell += sign;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (sign === '"' && cell.trim() === '') {
      quoted = true;
      cell = '';
    } else if (sign === delimiter) {
      cells.push(cell.trim());
      cell = '';
    } else if (sign === '\n') {
      endRow();
      start = ++line;
    } else cell += sign;
  }
  if (quoted) throw new UnreadableClasses('a quoted cell does not end', start);
  endRow();
  return rows;
}
