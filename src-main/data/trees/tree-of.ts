import { ImageProblem } from '../image.ts';
import type { Locator } from '../locator.ts';
import { fileOf, readBytes } from '../read-located.ts';
import { resolvePlace, unpack } from '../unpacked.ts';
import { type FileTree, maxReadBytes, notThere, type TreeFile, tooLarge, unusable } from './tree.ts';

/** A file of a tree, and where it is. */
export interface TreeEntry extends TreeFile {
  readonly locator: Locator;
}

/** What a tree is made of. */
export interface TreeParts
  extends Pick<FileTree, 'folder' | 'named' | 'archives' | 'emptyFolders' | 'issues' | 'notes' | 'stamps'> {
  entries: ReadonlyMap<string, TreeEntry>;
}

/** The tree of some entries, in the order of their paths. `told` is called while something of it is unpacked. */
export function treeOf(
  { entries, ...facts }: TreeParts,
  { unpackedFolder, told }: { unpackedFolder: string; told?: () => void },
): FileTree {
  const { folder } = facts;
  const files = new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  const entryAt = (path: string): TreeEntry => {
    const entry = files.get(path);
    if (!entry) throw notThere(folder, path);
    return entry;
  };
  return {
    ...facts,
    files,
    async read(path) {
      const { bytes, locator } = entryAt(path);
      if (bytes > maxReadBytes) throw tooLarge(path, bytes);
      const place = resolvePlace({ folder, locator }, unpackedFolder);
      return await readBytes(place, maxReadBytes).catch((error: NodeJS.ErrnoException) => {
        throw unusable(
          path,
          error instanceof ImageProblem ? error.message : (error.code ?? error.message),
          error,
        );
      });
    },
    locate: (path) => entryAt(path).locator,
    async seekable(path) {
      const { part, ...plain } = entryAt(path).locator;
      const range = part?.kind === 'range' ? part : undefined;
      const container = range?.deflated
        ? { ...plain, packed: [...(plain.packed ?? []), { part: range, gzip: false }] }
        : plain;
      if (container !== plain) await unpack({ folder, locator: container }, unpackedFolder, told);
      const place = resolvePlace({ folder, locator: container }, unpackedFolder);
      const within = range && !range.deflated ? { offset: range.offset, bytes: range.bytes } : undefined;
      return { container, path: fileOf(place), within };
    },
  };
}
