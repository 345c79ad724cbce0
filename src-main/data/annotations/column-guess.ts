import type { TableColumns } from '../../../src-shared/contract.ts';
import { isImage } from '../folder.ts';
import { splitNameOf } from '../formats/split-names.ts';
import type { FileTree } from '../trees/tree.ts';
import { ImageNames, plainName, refusal } from './image-names.ts';
import type { TableRow } from './table.ts';
import { baseName, below, folderOf } from './tree-index.ts';

/** What the columns of a table were taken for. */
export interface ColumnGuess extends TableColumns {
  /** Columns of which each stands for a class, with 1 where an image is of it. */
  oneHot?: string[];
  /** The folder that its files are relative to, and how many of those that were tried are there: 0 to 1. */
  folder: string;
  share: number;
}

const fileNames =
  /^(file_?names?|files?|file_?paths?|paths?|images?|imgs?|image_?(names?|paths?|files?|ids?)|img_?(names?|paths?|ids?)|pictures?|photos?|ids?|filename_?\w*|.*_file_?name)$/i;
const labelNames = [
  /^(labels?|class(es)?)$/i,
  /^(class_?names?|label_?names?|categor(y|ies)(_?names?)?|targets?|species|breeds?|class_?labels?)$/i,
  /^(y|truth|ground_?truth|diagnos(is|es)|dx|tags?|type|annotation|kind|variety|finding)$/i,
  /^(class|label|category|target)_?(ids?|index|idx|no|num|number)$/i,
  /(label|class|category|species)/i,
];
const splitNames = /^(splits?|sets?|subsets?|partitions?|phases?|usage|data_?(set|split)|mode)$/i;
const groupNames =
  /^(groups?|(patient|subject|person|individual|identity|video|case|lesion|study|slide|animal|participant|clip|sequence|scene)(_?(ids?|name|no|number))?|group_?ids?)$/i;
const corners: readonly (readonly [RegExp, RegExp, RegExp, RegExp])[] = [
  [
    /^(bbox_?|box_?)?(x_?min|xmin)$/i,
    /^(bbox_?|box_?)?y_?min$/i,
    /^(bbox_?|box_?)?x_?max$/i,
    /^(bbox_?|box_?)?y_?max$/i,
  ],
  [
    /^(bbox_?|box_?|roi\.?_?)?x1$/i,
    /^(bbox_?|box_?|roi\.?_?)?y1$/i,
    /^(bbox_?|box_?|roi\.?_?)?x2$/i,
    /^(bbox_?|box_?|roi\.?_?)?y2$/i,
  ],
  [
    /^(bbox_?|box_?)?x$/i,
    /^(bbox_?|box_?)?y$/i,
    /^(bbox_?|box_?)?(w|width)$/i,
    /^(bbox_?|box_?)?(h|height)$/i,
  ],
  [/^left$/i, /^top$/i, /^(width|right)$/i, /^(height|bottom)$/i],
];

/** Whether the last two columns of a crop are its right and lower edge, not its width and height. */
export const areCorners = ([, , third]: readonly string[]): boolean => /max|2$|right/i.test(third);

/**
 * What the columns of a table are, from their names and some rows of it: the file is the column whose values are images of
 * the tree. `said` goes before every guess; an empty name says that no column is it. Null where no column names images.
 */
export function guessColumns(
  tree: FileTree,
  path: string,
  columns: readonly string[],
  rows: readonly TableRow[],
  said: TableColumns,
): ColumnGuess | null {
  const valuesOf = (index: number) => rows.map(({ cells }) => (cells[index] ?? '').trim());
  const file = fileColumn(tree, path, columns, valuesOf, said.file || undefined);
  if (!file) return null;
  const crop = said.crop ?? cropColumns(columns);
  const taken = new Set([file.name, ...(crop ?? [])]);
  const free = (name: string): boolean => !taken.has(name);
  const split = said.split ?? columns.find((name, at) => free(name) && isSplit(name, valuesOf(at)));
  if (split) taken.add(split);
  const group = said.group ?? columns.find((name) => free(name) && groupNames.test(name));
  if (group) taken.add(group);
  const label = said.label ?? labelColumn(columns, free, valuesOf);
  const oneHot = label ? undefined : oneHotColumns(columns, free, valuesOf);
  return {
    file: file.name,
    label: label || undefined,
    split: split || undefined,
    group: group || undefined,
    crop,
    oneHot,
    folder: file.folder,
    share: file.share,
  };
}

function fileColumn(
  tree: FileTree,
  path: string,
  columns: readonly string[],
  valuesOf: (index: number) => string[],
  said: string | undefined,
): { name: string; folder: string; share: number } | null {
  const names = new ImageNames(tree);
  const folder = folderOf(path);
  const word = baseName(path).replace(/\.\w+$/, '');
  const likely = ['', folder].flatMap((place) => [place, below(place, word), below(place, 'images')]);
  const found = columns.flatMap((name, index) => {
    if (said !== undefined && said !== name) return [];
    const values = valuesOf(index);
    const looksLike = fileNames.test(name) || values.filter(isImage).length * 2 > values.length;
    if (!looksLike && said === undefined && columns.length > 2) return [];
    const usable = values
      .map((value) => plainName(value, tree.folder))
      .filter((value) => value && !refusal(value));
    const best = usable.length > 0 ? names.folderOf(usable, likely) : null;
    if (!best && said === undefined) return [];
    const share = ((best?.share ?? 0) * usable.length) / Math.max(1, values.length);
    return [{ name, folder: best?.folder ?? folder, share }];
  });
  return found.sort((a, b) => b.share - a.share)[0] ?? null;
}

function labelColumn(
  columns: readonly string[],
  free: (name: string) => boolean,
  valuesOf: (index: number) => string[],
): string | undefined {
  for (const names of labelNames) {
    const named = columns.find((name) => free(name) && names.test(name));
    if (named !== undefined) return named;
  }
  const rest = columns.filter(free);
  // What is left of two columns is the label, of more than two only where its values are few.
  if (columns.length === 2 && rest.length === 1) return rest[0];
  if (oneHotColumns(columns, free, valuesOf)) return undefined;
  const few = rest.filter((name) => {
    const values = valuesOf(columns.indexOf(name));
    const distinct = new Set(values).size;
    return distinct > 1 && distinct * 2 <= values.length && values.some((value) => !/^-?[\d.]*$/.test(value));
  });
  return few.length === 1 ? few[0] : undefined;
}

const isSplit = (name: string, values: readonly string[]): boolean => {
  const named = values.filter((value) => splitNameOf(value) !== null).length;
  return values.length > 0 && (splitNames.test(name) ? named > 0 : named === values.length);
};

function oneHotColumns(
  columns: readonly string[],
  free: (name: string) => boolean,
  valuesOf: (index: number) => string[],
): string[] | undefined {
  const marks = columns.filter((name, at) => {
    const values = valuesOf(at);
    return free(name) && values.length > 0 && values.every((value) => /^[01](\.0*)?$/.test(value));
  });
  return marks.length >= 2 ? marks : undefined;
}

function cropColumns(columns: readonly string[]): TableColumns['crop'] {
  for (const names of corners) {
    const found = names.map((name) => columns.find((column) => name.test(column)));
    if (found.every((one) => one !== undefined) && new Set(found).size === 4)
      return found as [string, string, string, string];
  }
  return undefined;
}
