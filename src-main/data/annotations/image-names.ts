import { isImage } from '../folder.ts';
import type { FileTree } from '../trees/tree.ts';
import { below, indexOf } from './tree-index.ts';

const suffixes = ['.jpg', '.jpeg', '.png', '.JPG', '.JPEG', '.PNG', '.webp', '.bmp', '.tif', '.tiff', '.gif'];
/** Names that are tried in every folder, to find the one that they are in. */
const tried = 200;
const maxFolders = 1000;

/** Why a name that stands in a list is not looked for, as half a sentence; null for a name below the dataset's folder. */
export function refusal(name: string): string | null {
  if (name.includes('://')) return 'it is an address, and nothing is fetched';
  if (/^(\/|[A-Za-z]:)/.test(name))
    return 'it is an absolute path that does not lead into the dataset’s folder';
  if (name.split('/').includes('..')) return 'its “..” would lead out of the folder';
  if (name.includes('\0')) return 'it holds a zero byte';
  return null;
}

/** A name with forward slashes, without `./` and doubled slashes; an absolute one below `root` as from there. */
export function plainName(name: string, root?: string): string {
  let plain = name
    .trim()
    .replaceAll('\\', '/')
    .replace(/(?<!:)\/{2,}/g, '/');
  const inside = root?.replaceAll('\\', '/').replace(/\/$/, '');
  if (inside && plain.startsWith(`${inside}/`)) plain = plain.slice(inside.length + 1);
  return plain.replace(/^(\.\/)+/, '').replaceAll('/./', '/');
}

/** Finds the images of a tree by names as people write them in lists. */
export class ImageNames {
  readonly #tree: FileTree;
  #composed: Map<string, string> | null = null;

  constructor(tree: FileTree) {
    this.#tree = tree;
  }

  /** The path of an image below a folder: as it is named, with a suffix that its name lacks, or with its accents composed otherwise. */
  find(folder: string, name: string): string | null {
    const path = below(folder, name);
    const { files } = this.#tree;
    if (files.has(path)) return path;
    if (!isImage(name)) {
      const suffix = suffixes.find((one) => files.has(path + one));
      if (suffix !== undefined) return path + suffix;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what has only one form.
    return /^[\x00-\x7f]*$/.test(path) ? null : (this.#byComposed().get(path.normalize('NFC')) ?? null);
  }

  #byComposed(): Map<string, string> {
    this.#composed ??= new Map(Array.from(this.#tree.files.keys(), (path) => [path.normalize('NFC'), path]));
    return this.#composed;
  }

  /**
   * The folder below which most of some names lie: of `likely` the first, else any with images. Null where none has one.
   */
  folderOf(names: readonly string[], likely: readonly string[]): { folder: string; share: number } | null {
    const some = names.length <= tried ? names : spread(names, tried);
    const count = (folder: string) => some.filter((name) => this.find(folder, name) !== null).length;
    let best = { folder: '', found: 0 };
    for (const folder of new Set([...likely, ...this.#foldersAbove(some)])) {
      const found = count(folder);
      if (found > best.found) best = { folder, found };
      if (found === some.length) break;
    }
    return best.found === 0 ? null : { folder: best.folder, share: best.found / some.length };
  }

  /** Folders that the first parts of names lie in, those with images of their own for names without a folder. */
  #foldersAbove(names: readonly string[]): string[] {
    const parts = new Set(names.map((name) => (name.includes('/') ? name.slice(0, name.indexOf('/')) : '')));
    const folders = [...indexOf(this.#tree).folders.values()];
    const areFiles = names.some((name) => isImage(name) || name.includes('/'));
    const places = folders.filter(
      ({ folders: inner, images }) => (images > 0 && parts.has('')) || inner.some((name) => parts.has(name)),
    );
    // Words of a text are looked for in fewer places than names of files are.
    return places.map(({ path }) => path).slice(0, areFiles ? maxFolders : 20);
  }
}

/** Some of a list, evenly over it. */
const spread = <T>(list: readonly T[], count: number): T[] =>
  Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)]);
