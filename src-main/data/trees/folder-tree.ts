import { type Dirent, statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import type { SampleIssue } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Locator } from '../locator.ts';
import { isCountedFile, isCountedFolder } from './counted-names.ts';
import type { TreeEntry, TreeParts } from './tree-of.ts';

/**
 * Everything below a folder. Hidden files and the folders of tools are left out; links are followed, those that lead
 * out of the folder only where `links` is `all`, and a folder that was read already, or that holds the one where reading began, is not read again. A file's size is looked up when it is asked for.
 * @throws CotuneError `not-found` for a missing folder, `bad-input` for one that cannot be read.
 */
export async function openFolder(top: string, links: 'inside' | 'all'): Promise<TreeParts> {
  const issues: SampleIssue[] = [];
  const notes: string[] = [];
  const paths: string[] = [];
  const empty = new Set<string>();
  const home = await realTop(top);
  const visited = new Set([home]);
  // Level by level: a folder is read where it lies, not through a link deeper down.
  let level = [''];
  while (level.length > 0) {
    const next: string[] = [];
    for (const folder of level) {
      const names = await listFolder(join(top, folder), links === 'all' ? null : home).catch(
        (error: NodeJS.ErrnoException) => {
          if (folder === '') throw unreadable(top, error);
          const detail = `the folder cannot be read (${error.code ?? error})`;
          issues.push({ kind: 'broken', path: folder, detail });
          return { folders: [], files: [], outside: [] };
        },
      );
      const pathOf = (name: string) => (folder === '' ? name : `${folder}/${name}`);
      for (const name of names.files) paths.push(pathOf(name));
      for (const { name, target } of names.outside) {
        const detail = `it is a link out of the folder, to ${target}, and was not followed; --follow-links does`;
        issues.push({ kind: 'unsupported', path: pathOf(name), detail });
      }
      if (folder !== '' && names.files.length === 0) empty.add(folder);
      for (const inner of names.folders.map(pathOf)) {
        const real = await realpath(join(top, inner)).catch(() => inner);
        if (visited.has(real) || isInside(home, real)) {
          notes.push(
            `The folder ${inner} leads back to one that was read already, or around it; it was skipped.`,
          );
          continue;
        }
        visited.add(real);
        next.push(inner);
      }
    }
    level = next;
  }
  for (const path of paths)
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) empty.delete(path.slice(0, at));

  const entries = new Map(paths.map((path) => [path, new FolderFile(top, path)]));
  return {
    folder: top,
    named: null,
    archives: [],
    entries,
    emptyFolders: [...empty],
    issues,
    notes,
    stamps: new Map(),
  };
}

class FolderFile implements TreeEntry {
  readonly locator: Locator;
  readonly #path: string;

  constructor(folder: string, path: string) {
    this.locator = { file: path };
    this.#path = join(folder, path);
  }

  /** 0 for one that is not there any more, or leads nowhere. */
  get bytes(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** Whether `path` lies below `folder`, both real paths. */
function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

async function realTop(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException);
  }
}

function unreadable(path: string, error: NodeJS.ErrnoException): CotuneError {
  const reasons: Record<string, string> = { ENOENT: 'does not exist', ENOTDIR: 'is not a folder' };
  return new CotuneError(
    error.code === 'ENOENT' ? 'not-found' : 'bad-input',
    `The folder ${path} ${reasons[error.code ?? ''] ?? `cannot be read (${error.code})`}.`,
    'Check the path and its permissions.',
    { cause: error },
  );
}

interface Listed {
  folders: string[];
  files: string[];
  /** Links that lead out of the dataset. */
  outside: { name: string; target: string }[];
}

/**
 * The entries of a folder that count, in the order of their names; a link counts as what it leads to, where that is inside
 * `home` (anywhere where that is null).
 */
async function listFolder(path: string, home: string | null): Promise<Listed> {
  const entries = await readdir(path, { withFileTypes: true });
  const listed: Listed = { folders: [], files: [], outside: [] };
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    if (!isCountedFolder(name)) continue;
    const target = home !== null && entry.isSymbolicLink() ? await linkedTo(join(path, name)) : null;
    if (target !== null && home !== target && !isInside(home!, target) && !isInside(target, home!))
      listed.outside.push({ name, target });
    else if (await isFolder(path, entry)) listed.folders.push(name);
    else if (isCountedFile(name)) listed.files.push(name);
  }
  return listed;
}

/** Where a link leads, or null where it leads nowhere. */
const linkedTo = (path: string): Promise<string | null> => realpath(path).catch(() => null);

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const target = await stat(join(path, entry.name)).catch(() => null);
  return target?.isDirectory() ?? false;
}
