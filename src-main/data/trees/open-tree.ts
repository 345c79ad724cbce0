import { openFolder } from './folder-tree.ts';
import { type FileTree, notThere } from './tree.ts';

/**
 * The files of a dataset, which is a folder, or a file in that folder and what it names.
 * @throws CotuneError `not-found` where nothing is there, `bad-input` where it cannot be read.
 */
export async function openTree(folder: string, file: string | null): Promise<FileTree> {
  const tree = await openFolder(folder);
  if (file === null) return tree;
  if (!tree.files.has(file)) throw notThere(folder, file);
  return { ...tree, named: file };
}
