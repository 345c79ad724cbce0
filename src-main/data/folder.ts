import { extname } from 'node:path';
import type { FileTree } from './trees/tree.ts';

const imageExtensions = /^\.(jpe?g|jpe|jfif|mpo|png|webp|gif|bmp|dib|tiff?)$/i;
/** Photographs in formats that are not read: a folder of them is a folder of images still. */
const photoExtensions = /^\.(heic|heif|avif|jxl|jp2|dng|cr[23]|nef|arw|orf|rw2|raf|raw)$/i;

/** Whether a file is an image by its name. */
export const isImage = (name: string): boolean => imageExtensions.test(extname(name));

/** A folder of a file tree. */
export interface Folder {
  name: string;
  /** Relative to the tree's root, forward slashes; empty for that one. */
  path: string;
  /** Its own folders, in the order of their names; hidden ones only where they hold images. */
  folders: Folder[];
  /** Names of its own files. */
  files: string[];
  /** Images by name among its own files, those of formats that are not read included. */
  images: number;
  /** Images by name in it and everywhere below. */
  below: number;
  hidden: boolean;
}

/** A file tree as folders inside folders. */
export function rootFolder(tree: FileTree): Folder {
  const root = emptyFolder('', '');
  const known = new Map([['', root]]);
  const folderAt = (path: string): Folder => {
    const found = known.get(path);
    if (found) return found;
    const cut = path.lastIndexOf('/');
    const folder = emptyFolder(path.slice(cut + 1), path);
    known.set(path, folder);
    folderAt(path.slice(0, Math.max(cut, 0))).folders.push(folder);
    return folder;
  };
  for (const path of tree.files.keys()) {
    const cut = path.lastIndexOf('/');
    folderAt(path.slice(0, Math.max(cut, 0))).files.push(path.slice(cut + 1));
  }
  for (const path of tree.emptyFolders) folderAt(path);
  count(root);
  return root;
}

const emptyFolder = (name: string, path: string): Folder => ({
  name,
  path,
  folders: [],
  files: [],
  images: 0,
  below: 0,
  hidden: name.startsWith('.'),
});

/** Sorts by name and counts the images below every folder; hidden folders without any are forgotten. */
function count(folder: Folder): number {
  folder.images = folder.files.filter((name) => isImage(name) || photoExtensions.test(extname(name))).length;
  folder.below = folder.images;
  for (const inner of folder.folders) folder.below += count(inner);
  folder.folders = folder.folders
    .filter(({ hidden, below }) => !hidden || below > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return folder.below;
}

/** Every folder of a tree, itself first, each with its folders after it. */
export function* foldersOf(folder: Folder): Generator<Folder> {
  yield folder;
  for (const inner of folder.folders) yield* foldersOf(inner);
}
