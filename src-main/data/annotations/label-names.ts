import { CotuneError } from '../../../src-shared/errors.ts';
import type { FormatOptions } from '../formats/format.ts';
import type { FileTree } from '../trees/tree.ts';
import { byNumber, numbered } from './class-names.ts';
import { textLines } from './text-lines.ts';
import { indexOf } from './tree-index.ts';

const isNumber = (label: string): boolean => /^\d{1,9}(\.0+)?$/.test(label);
/** More classes than any dataset has: a column of captions or of names of files. */
const maxLabels = 100_000;
/** Folders that are told apart for one label. */
const maxFolders = 100;
const namesFiles = ['classes.txt', 'class_names.txt', 'classnames.txt', 'labels.txt'];

/**
 * What the labels of a dataset mean: names as they are; numbers by classes.txt, else by the one folder that each of them
 * stands with. All labels are added first, then settled, then asked for.
 */
export class LabelNames {
  readonly #folders = new Map<string, Map<string, number>>();
  readonly #rows = { all: 0, numbers: 0 };
  #names: ReadonlyMap<number, string> | null = null;

  /** A label that stands somewhere, with the name of the folder that its image lies in. */
  add(label: string, folder: string): void {
    if (label === '') return;
    this.#rows.all++;
    if (isNumber(label)) this.#rows.numbers++;
    if (this.#folders.size > maxLabels) throw tooMany();
    const folders = this.#folders.get(label) ?? new Map<string, number>();
    if (folders.has(folder) || folders.size < maxFolders) folders.set(folder, (folders.get(folder) ?? 0) + 1);
    this.#folders.set(label, folders);
  }

  /** Finds out what the labels mean, and says it. */
  async settle(tree: FileTree, { classes, tell }: Pick<FormatOptions, 'classes' | 'tell'>): Promise<void> {
    // A few stray words among numbers are mistakes, and are named as such.
    if (this.#rows.numbers === 0 || this.#rows.numbers < this.#rows.all * 0.75) return;
    const labels = [...this.#folders.keys()].filter(isNumber);
    const numbers = [...new Set(labels.map(Number))].sort((a, b) => a - b);
    const found = (await namesFile(tree, numbers)) ?? this.#byFolders(numbers);
    this.#names = found.names;
    classes([...found.names.values()]);
    tell(found.note);
  }

  /** The class that a label stands for; null where it stands for none. */
  of(label: string): string | null {
    if (!this.#names) return label === '' ? null : label;
    return isNumber(label) ? (this.#names.get(Number(label)) ?? null) : null;
  }

  #byFolders(numbers: readonly number[]): { names: Map<number, string>; note: string } {
    const folders = new Map(
      [...this.#folders].filter(([label]) => isNumber(label)).map(([label, of]) => [Number(label), of]),
    );
    const names = new Map(numbers.map((number) => [number, mostly(folders.get(number)!)]));
    const distinct = new Set(names.values());
    if (numbers.length > 1 && distinct.size === numbers.length && !distinct.has(''))
      return {
        names,
        note: 'The labels are numbers, each of one folder: the classes are called by their folders.',
      };
    return {
      names: numbered(numbers),
      note: 'The labels are numbers, and nothing names them: a file classes.txt beside the images would, one name per line.',
    };
  }
}

const tooMany = (): CotuneError =>
  new CotuneError(
    'bad-input',
    `The labels are more than ${maxLabels.toLocaleString('en')} different ones, as no classes are.`,
    'Name the column of labels: --column label=NAME.',
  );

/** The folder that nearly all stand with, for one image may be labelled wrongly; else nothing. */
function mostly(folders: ReadonlyMap<string, number>): string {
  const rows = [...folders.values()].reduce((sum, count) => sum + count, 0);
  const [name, count] = [...folders].reduce((best, one) => (one[1] > best[1] ? one : best));
  return count >= rows * 0.75 ? name : '';
}

/**
 * A file with a name on each line, counted from 0, or from 1 where the labels are; or with its number before each name. A few
 * labels without a name are mistakes, and are named as such.
 */
async function namesFile(
  tree: FileTree,
  numbers: readonly number[],
): Promise<{ names: Map<number, string>; note: string } | null> {
  const path = namesFiles.flatMap((name) => indexOf(tree).others.get(name) ?? [])[0];
  if (path === undefined) return null;
  const lines: string[] = [];
  for (const { text } of await textLines(tree, path)) lines.push(text);
  const pairs = lines.map((line) => /^(\d+)[\s,:]+(\S.*)$/.exec(line));
  const isNumbered =
    pairs.every((pair) => pair !== null) && new Set(pairs.map((pair) => pair![1])).size === lines.length;
  const first = !numbers.includes(0) && numbers.includes(lines.length) ? 1 : 0;
  const names = byNumber(
    new Map(
      isNumbered
        ? pairs.map((pair) => [Number(pair![1]), pair![2]])
        : lines.map((line, index) => [index + first, line]),
    ),
  );
  const without = numbers.filter((number) => !names.has(number));
  if (without.length * 2 > numbers.length)
    throw new CotuneError(
      'bad-input',
      `${path} names ${names.size} classes and none for most of the labels, such as ${without[0]}.`,
      'Put it right, or remove it: the classes are then called by their folders or numbers.',
    );
  return { names, note: `The labels are numbers; their names are those of ${path}.` };
}
