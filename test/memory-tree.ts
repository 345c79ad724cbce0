import type { FileTree } from '../src-main/data/trees/tree.ts';
import { CotuneError } from '../src-shared/errors.ts';

/** The files of a dataset by path, as tests write them down. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

/** A file tree that lies in memory. */
export function memoryTree(files: Files, folder = '/set'): FileTree {
  const content = new Map(
    Object.entries(files)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, bytes]) => [path, Buffer.from(bytes as Uint8Array)]),
  );
  const get = (path: string): Buffer => {
    const bytes = content.get(path);
    if (!bytes) throw new CotuneError('bad-input', `There is no file ${path} in ${folder}.`);
    return bytes;
  };
  return {
    folder,
    named: null,
    files: new Map(Array.from(content, ([path, { length }]) => [path, { bytes: length }])),
    emptyFolders: [],
    issues: [],
    notes: [],
    stamps: new Map(),
    archives: [],
    read: async (path) => get(path),
    locate: (path) => {
      get(path);
      return { file: path };
    },
    seekable: async (path) => {
      get(path);
      return { container: { file: path }, path: `${folder}/${path}` };
    },
  };
}
