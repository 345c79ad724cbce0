import { extname } from 'node:path';
import { isImage } from '../folder.ts';
import type { FileTree } from '../trees/tree.ts';

/** A folder of a tree; its path has no slash at its end, and is empty for the tree itself. */
export interface TreeFolder {
  path: string;
  /** Names of its own folders. */
  folders: string[];
  /** Its own images by name. */
  images: number;
}

/** What a tree holds, by folders and by names. */
export interface TreeIndex {
  folders: ReadonlyMap<string, TreeFolder>;
  /** Paths of the files that are no images by their names, by base name. */
  others: ReadonlyMap<string, readonly string[]>;
  /** Paths of those, by extension in lower case: `.csv`. */
  byExtension: ReadonlyMap<string, readonly string[]>;
}

const known = new WeakMap<FileTree, TreeIndex>();

/** The index of a tree, made once. */
export function indexOf(tree: FileTree): TreeIndex {
  const before = known.get(tree);
  if (before) return before;
  const folders = new Map<string, TreeFolder>();
  const others = new Map<string, string[]>();
  const byExtension = new Map<string, string[]>();
  const folderAt = (path: string): TreeFolder => {
    const made = folders.get(path);
    if (made) return made;
    const folder: TreeFolder = { path, folders: [], images: 0 };
    folders.set(path, folder);
    if (path !== '') folderAt(folderOf(path)).folders.push(baseName(path));
    return folder;
  };
  folderAt('');
  for (const path of tree.files.keys()) {
    const folder = folderAt(folderOf(path));
    if (isImage(path)) {
      folder.images++;
      continue;
    }
    append(others, baseName(path), path);
    append(byExtension, extname(path).toLowerCase(), path);
  }
  const index = { folders, others, byExtension };
  known.set(tree, index);
  return index;
}

const append = (map: Map<string, string[]>, key: string, value: string): void => {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
};

/** The part of a path before its last slash; empty where there is none. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A path below a folder of the tree, which may be the tree itself. */
export const below = (folder: string, path: string): string => (folder === '' ? path : `${folder}/${path}`);

const depth = (path: string): number => (path === '' ? 0 : path.split('/').length);

/** Of the files of one kind those that are to be read: where the dataset was imported from one of them, that one alone. */
export function asNamed(tree: FileTree, paths: readonly string[]): readonly string[] {
  if (tree.named === null) return paths;
  if (paths.includes(tree.named)) return [tree.named];
  // A file of another kind is meant; what is not among the files is an archive of them.
  return tree.files.has(tree.named) ? [] : paths;
}

/** The folder nearest to the top below which all of these files lie, such as `['images.txt', 'meta/train.json']`; or null. */
export function folderWith(tree: FileTree, files: readonly [string, ...string[]]): string | null {
  const [first] = files;
  const places = (indexOf(tree).others.get(baseName(first)) ?? [])
    .filter((path) => path === first || path.endsWith(`/${first}`))
    .map((path) => path.slice(0, Math.max(0, path.length - first.length - 1)))
    .filter((folder) => files.every((file) => tree.files.has(below(folder, file))));
  return places.sort((a, b) => depth(a) - depth(b))[0] ?? null;
}

/** The folder nearest to the top with at least `atLeast` of these folders inside, or null. */
export function folderOfFolders(tree: FileTree, names: readonly string[], atLeast: number): string | null {
  const wanted = new Set(names);
  const places = [...indexOf(tree).folders.values()].filter(
    ({ folders }) => folders.filter((name) => wanted.has(name)).length >= atLeast,
  );
  return places.map(({ path }) => path).sort((a, b) => depth(a) - depth(b))[0] ?? null;
}

/** Paths of the images in a folder and everywhere below, in the order of the tree. */
export function* imagesBelow(tree: FileTree, folder: string): Generator<string> {
  const start = folder === '' ? '' : `${folder}/`;
  for (const path of tree.files.keys()) if (path.startsWith(start) && isImage(path)) yield path;
}
