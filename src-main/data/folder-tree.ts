import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, isAbsolute, join, relative } from 'node:path';
import type { SampleIssue } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';

const imageExtensions = /^\.(jpe?g|jpe|jfif|mpo|png|webp|gif|bmp|dib|tiff?)$/i;
const systemEntries = /^(__macosx|thumbs\.db|desktop\.ini|@eadir|\$recycle\.bin|system volume information)$/i;
/** Hidden folders of tools, which may well hold copies of images. */
const toolFolders =
  /^\.(.*(cache|thumb|checkpoint|trash|backup|snapshot|recycle|tmp|temp).*|git|svn|hg|dvc|idea|vscode|apple.*|ds_store|spotlight.*|fseventsd|documentrevisions.*|picasaoriginals|dtrash|comments|stversions|stfolder|sync.*|@.*|venv|env|old|local|config|zfs)$/i;

/** Photographs in formats that are not read: a folder of them is a folder of images still. */
const photoExtensions = /^\.(heic|heif|avif|jxl|jp2|dng|cr[23]|nef|arw|orf|rw2|raf|raw)$/i;

/** Whether a file is an image by its name. */
export const isImage = (name: string): boolean => imageExtensions.test(extname(name));

/** A folder that was read. A link counts as what it leads to. */
export interface Folder {
  name: string;
  /** Relative to the folder where reading began, forward slashes; empty for that one. */
  path: string;
  /** Its own folders that hold anything, in the order of their names. */
  folders: Folder[];
  /** Its own files. */
  files: string[];
  /** Images by name among its own files, those of formats that are not read included. */
  images: number;
  /** Images by name in it and everywhere below. */
  below: number;
  hidden: boolean;
}

export interface FolderTree {
  root: Folder;
  issues: SampleIssue[];
  notes: string[];
}

/**
 * Reads the names of everything below a folder. Hidden files and the folders of tools are left out; links are
 * followed, and a folder that was read already, or that holds the one where reading began, is not read again.
 * @throws CotuneError `not-found` for a missing folder, `bad-input` for one that cannot be read.
 */
export async function readTree(top: string): Promise<FolderTree> {
  const issues: SampleIssue[] = [];
  const notes: string[] = [];
  const root = emptyFolder('', '');
  const home = await realTop(top);
  const visited = new Set([home]);
  // Level by level: a folder is read where it lies, not through a link deeper down.
  let level = [root];
  while (level.length > 0) {
    const next: Folder[] = [];
    for (const folder of level) {
      const names = await listFolder(join(top, folder.path)).catch((error: NodeJS.ErrnoException) => {
        if (folder === root) throw unreadable(top, error);
        const detail = `the folder cannot be read (${error.code ?? error})`;
        issues.push({ kind: 'broken', path: folder.path, detail });
        return { folders: [], files: [] };
      });
      folder.files = names.files;
      folder.images = names.files.filter(
        (name) => isImage(name) || photoExtensions.test(extname(name)),
      ).length;
      for (const name of names.folders) {
        const inner = emptyFolder(name, folder.path ? `${folder.path}/${name}` : name);
        const real = await realpath(join(top, inner.path)).catch(() => inner.path);
        if (visited.has(real) || isInside(home, real)) {
          notes.push(
            `The folder ${inner.path} leads back to one that was read already, or around it; it was skipped.`,
          );
          continue;
        }
        visited.add(real);
        folder.folders.push(inner);
        next.push(inner);
      }
    }
    level = next;
  }
  count(root);
  return { root, issues, notes };
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

/** Counts the images below every folder; hidden folders without any are forgotten. */
function count(folder: Folder): number {
  folder.below = folder.images;
  for (const inner of folder.folders) folder.below += count(inner);
  folder.folders = folder.folders.filter(({ hidden, below }) => !hidden || below > 0);
  return folder.below;
}

/** Every folder of a tree, itself first, each with its folders after it. */
export function* foldersOf(folder: Folder): Generator<Folder> {
  yield folder;
  for (const inner of folder.folders) yield* foldersOf(inner);
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

/** The entries of a folder that count, in the order of their names; a link counts as what it leads to. */
async function listFolder(path: string): Promise<{ folders: string[]; files: string[] }> {
  const entries = await readdir(path, { withFileTypes: true });
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (systemEntries.test(entry.name) || toolFolders.test(entry.name)) continue;
    if (await isFolder(path, entry)) folders.push(entry.name);
    else if (!entry.name.startsWith('.')) files.push(entry.name);
  }
  return { folders, files };
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const target = await stat(join(path, entry.name)).catch(() => null);
  return target?.isDirectory() ?? false;
}
