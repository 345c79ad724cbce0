import type { Split } from '../../../src-shared/domain.ts';
import { isImage } from '../folder.ts';
import { splitNameOf } from '../formats/split-names.ts';
import type { FileTree } from '../trees/tree.ts';
import { ImageNames, plainName, refusal } from './image-names.ts';
import { linesOf, type TextLine, textOf } from './text-lines.ts';
import { asNamed, baseName, below, folderOf, indexOf } from './tree-index.ts';

/** A list of images, one per line. */
export interface ImageList {
  path: string;
  /** Null where its name says none. */
  split: Split | null;
  /** The number in its name that no other word has: per cent or images of a rate, `train_15.txt`. */
  rate: number | null;
  /** Other words of its name: `cub200` of `cub200_15_train.txt`. Lists with the same belong together. */
  family: string;
  /** The folder that its names are relative to. */
  folder: string;
  /** How many of the names that were tried are there: 0 to 1. */
  share: number;
  labelled: boolean;
}

/** Lines by which a list is known. */
const looked = 200;
/** Bytes of a text that is looked at for being a list. */
const maxListBytes = 128 * 2 ** 20;
const maxLists = 200;

/** Up to the last suffix of an image with a blank after it, where there is one; else up to the last blank. */
const withSuffix = /^(.*\.(?:jpe?g|jpe|jfif|mpo|png|webp|gif|bmp|dib|tiff?))[\s,;]+(\S.*)$/i;

/** A line as a name and a label; the label is empty where there is none. Names may hold blanks, labels come last. */
export function nameAndLabel(text: string): { name: string; label: string } {
  const found = withSuffix.exec(text);
  if (found) return { name: found[1], label: found[2].trim() };
  if (isImage(text)) return { name: text, label: '' };
  const tab = text.lastIndexOf('\t');
  const blank = tab >= 0 ? tab : text.search(/\s\S+$/);
  return blank < 0
    ? { name: text, label: '' }
    : { name: text.slice(0, blank).trim(), label: text.slice(blank).trim() };
}

/** The `.txt` and `.lst` files of a tree whose lines name images of it. */
export async function imageLists(tree: FileTree): Promise<ImageList[]> {
  const { byExtension } = indexOf(tree);
  const names = new ImageNames(tree);
  const lists: ImageList[] = [];
  const all = [...(byExtension.get('.txt') ?? []), ...(byExtension.get('.lst') ?? [])];
  const paths = asNamed(tree, all);
  for (const path of paths.filter((one) => tree.files.get(one)!.bytes <= maxListBytes).slice(0, maxLists)) {
    const list = await imageList(tree, path, names);
    if (list) lists.push(list);
  }
  return lists;
}

async function imageList(tree: FileTree, path: string, names: ImageNames): Promise<ImageList | null> {
  const lines: TextLine[] = [];
  const text = await textOf(tree, path).catch(() => '');
  for (const line of linesOf(text, path)) if (lines.push(line) === looked) break;
  if (lines.length === 0) return null;
  const entries = lines.map((line) => nameAndLabel(line.text));
  const wanted = entries.map(({ name }) => plainName(name, tree.folder)).filter((name) => !refusal(name));
  const folder = folderOf(path);
  const word = baseName(path).replace(/\.\w+$/, '');
  const likely = ['', folder, folderOf(folder)].flatMap((place) => [
    place,
    below(place, word),
    below(place, 'images'),
  ]);
  const best = names.folderOf(wanted, likely);
  if (!best) return null;
  const name = splitNameOf(word);
  const numbers = word.split(/[-._ ]+/).filter((part) => /^\d+%?$/.test(part));
  return {
    path,
    split: name?.split ?? null,
    rate: numbers.length === 1 ? Number.parseInt(numbers[0], 10) : null,
    family: name?.rest ?? word,
    folder: best.folder,
    share: (best.share * wanted.length) / lines.length,
    labelled: entries.filter(({ label }) => label !== '').length > lines.length / 2,
  };
}
