import type { TableColumns, TablePreview } from '../../../src-shared/contract.ts';
import type { Split } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { FormatOptions, FoundImage } from '../formats/format.ts';
import { some } from '../formats/layout.ts';
import { splitNameOf } from '../formats/split-names.ts';
import type { FileTree } from '../trees/tree.ts';
import { cropOf } from './boxes.ts';
import { areCorners, type ColumnGuess, guessColumns } from './column-guess.ts';
import { LabelNames } from './label-names.ts';
import { ListedImages } from './listed-images.ts';
import { openTable, type Table, type TableRow } from './table.ts';
import { baseName, folderOf } from './tree-index.ts';

/** A table of images, and what its columns were taken for. */
export interface PlannedTable {
  table: Table;
  guess: ColumnGuess;
  /** What its name, or that of its folder, says. */
  split: Split | null;
  /** The first rows, by which its columns were known. */
  head: TableRow[];
}

const looked = 200;

/** The table in a file, if it names images of the tree or a person says that it does. Errors: `bad-input`. */
export async function planTable(
  tree: FileTree,
  path: string,
  said: TableColumns,
): Promise<PlannedTable | null> {
  const table = await openTable(tree, path);
  if (!table) return null;
  const head: TableRow[] = [];
  for await (const row of table.rows()) if (head.push(row) === looked) break;
  checkColumns(table, said);
  const guess = guessColumns(tree, path, table.columns, head, said);
  const word = baseName(path).replace(/\.\w+$/, '');
  const split = splitNameOf(word)?.split ?? splitNameOf(baseName(folderOf(path)))?.split ?? null;
  return guess && { table, guess, split, head };
}

function checkColumns({ path, columns }: Table, { crop, ...said }: TableColumns): void {
  for (const name of [...Object.values(said), ...(crop ?? [])])
    if (name && !columns.includes(name))
      throw new CotuneError(
        'bad-input',
        `${path} has no column ${name}; it has ${some(columns)}.`,
        'Name a column as the first line of the table does.',
      );
}

const shownRows = 20;

/** The first rows of the first of some tables, and what its columns were taken for. */
export function previewOf(tables: readonly PlannedTable[]): TablePreview | null {
  const [first, ...others] = tables;
  if (!first) return null;
  const { table, guess, head } = first;
  const { oneHot = [], folder: _, share, ...taken } = guess;
  return {
    path: table.path,
    columns: table.columns,
    rows: head.slice(0, shownRows).map(({ cells }) => table.columns.map((_, at) => cells[at] ?? '')),
    taken,
    classColumns: oneHot,
    found: share,
    others: others.map((one) => one.table.path),
  };
}

/** The images of tables, by what their columns were taken for. Errors: `bad-input` where no table has a column of labels. */
export async function* imagesInTables(
  tree: FileTree,
  all: readonly PlannedTable[],
  options: FormatOptions,
): AsyncGenerator<FoundImage> {
  const tables = all.filter(({ guess }) => guess.label !== undefined || guess.oneHot !== undefined);
  if (tables.length === 0) throw withoutLabels(all);
  for (const one of all) if (!tables.includes(one)) await noteWithout(one, options);
  const names = new LabelNames();
  for (const { table, guess } of tables) {
    if (guess.label === undefined) continue;
    const [file, label] = [guess.file!, guess.label].map((name) => table.columns.indexOf(name));
    for await (const { cells } of table.rows())
      names.add((cells[label] ?? '').trim(), baseName(folderOf((cells[file] ?? '').replaceAll('\\', '/'))));
  }
  await names.settle(tree, options);
  const listed = new ListedImages(tree, options);
  for (const planned of tables) {
    const read = rowReader(planned, names, listed);
    for await (const row of planned.table.rows()) {
      const image = read(row);
      if (image) yield image;
    }
  }
  listed.finish(some(tables.map(({ table }) => table.path)));
}

/** Makes the image that a row names; null, and a finding, where it cannot be. */
function rowReader(
  { table: { path, columns }, guess, split: ofTable }: PlannedTable,
  names: LabelNames,
  listed: ListedImages,
): (row: TableRow) => FoundImage | null {
  const place = (name: string | undefined): number => (name === undefined ? -1 : columns.indexOf(name));
  const [file, label, split, group] = [guess.file, guess.label, guess.split, guess.group].map(place);
  const crop = guess.crop?.map(place);
  const marks = guess.oneHot?.map((name) => ({ name, at: place(name) }));
  return ({ cells, at }) => {
    const where = { file: path, at };
    const cell = (index: number) => (cells[index] ?? '').trim();
    const given = cell(file);
    let className: string | null;
    if (marks) {
      const set = marks.filter(({ at: index }) => Number(cell(index)) === 1);
      if (set.length !== 1)
        return listed.badRow(
          where,
          `${given} is of ${set.length === 0 ? 'no class' : `${set.length} classes`}`,
        );
      className = set[0].name;
    } else className = names.of(cell(label));
    if (className === null)
      return listed.badRow(
        where,
        cell(label) === '' ? `${given} has no label` : `its label is ${cell(label).slice(0, 80)}`,
      );
    let box = null;
    if (guess.crop && crop) {
      const [x, y, third, fourth] = crop.map((index) =>
        cell(index) === '' ? Number.NaN : Number(cell(index)),
      );
      box = cropOf(areCorners(guess.crop) ? [x, y, third - x, fourth - y] : [x, y, third, fourth]);
      if (!box) return listed.badRow(where, `${given} has no box with an area`);
    }
    return listed.image(guess.folder, given, {
      className,
      split: split >= 0 ? (splitNameOf(cell(split))?.split ?? ofTable) : ofTable,
      ...(box && { crop: box }),
      ...(group >= 0 && cell(group) !== '' && { group: cell(group) }),
      where,
    });
  };
}

async function noteWithout({ table }: PlannedTable, { tell, unlabelled }: FormatOptions): Promise<void> {
  let images = 0;
  for await (const _ of table.rows()) images++;
  unlabelled({ path: table.path, images });
  tell(`${table.path} has no column of labels: what it names is left out.`);
}

function withoutLabels(tables: readonly PlannedTable[]): CotuneError {
  const [first] = tables;
  return new CotuneError(
    'bad-input',
    first
      ? `${first.table.path} names images, but none of its columns was taken for labels: ${some(first.table.columns)}.`
      : 'No table here names images of this dataset.',
    first
      ? 'Say which column it is: --column label=NAME.'
      : 'A table has a column of files and a column of labels.',
  );
}
