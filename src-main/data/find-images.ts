import { readdir, realpath } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { SampleIssue, Split } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';

const imageExtensions = new Set([
  '.jpg',
  '.jpeg',
  '.jpe',
  '.jfif',
  '.png',
  '.webp',
  '.gif',
  '.bmp',
  '.tif',
  '.tiff',
]);

/** One image file of a class. `split` is null where the folder gives none. */
export interface FoundImage {
  /** Relative to the dataset folder, forward slashes. */
  path: string;
  className: string;
  split: Split | null;
}

export interface FoundImages {
  images: FoundImage[];
  issues: SampleIssue[];
  notes: string[];
}

const splitFolders: Record<string, Split> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  test: 'test',
  testing: 'test',
};

/**
 * Lists the images of a labelled folder: `train/ val/ test/` each holding one folder per class, or one folder per
 * class at the top. Folders inside a class belong to it. Hidden entries are ignored.
 * @throws CotuneError `not-found` for a missing folder, `bad-input` where no class folder holds an image.
 */
export async function findImages(root: string): Promise<FoundImages> {
  const top = await listFolder(root);
  const splitOf = (name: string): Split | undefined => splitFolders[name.toLowerCase()];
  const splits = top.folders.filter((name) => splitOf(name));
  const found: FoundImages = { images: [], issues: [], notes: [] };
  const visited = new Set([await realpath(root)]);
  const others: string[] = [];
  const stray = [...top.files];

  if (splits.some((name) => splitOf(name) === 'train')) {
    const present = new Set(splits.map(splitOf));
    const valIsTest = present.has('val') && !present.has('test');
    if (valIsTest)
      found.notes.push(
        'There is a validation folder but no test folder: its images are the test split, and validation images are set aside from the training images.',
      );
    for (const name of splits) {
      const given = splitOf(name)!;
      const split = given === 'val' && valIsTest ? 'test' : given;
      const inside = await listFolder(join(root, name));
      stray.push(...inside.files.map((file) => `${name}/${file}`));
      for (const className of inside.folders) await collect(`${name}/${className}`, className, split);
    }
    const ignored = top.folders.filter((name) => !splitOf(name));
    if (ignored.length > 0) found.notes.push(`Folders beside train were not read: ${some(ignored)}.`);
    if (!present.has('val') && !present.has('test'))
      found.notes.push(
        'There is no test folder: 20 % of each class, chosen by the seed, are the test split.',
      );
  } else {
    for (const className of top.folders) await collect(className, className, null);
  }

  for (const path of stray)
    if (isImage(path))
      found.issues.push({ kind: 'unsupported', path, detail: 'lies outside any class folder' });
  if (others.length > 0)
    found.notes.push(
      `${others.length === 1 ? '1 file is' : `${others.length} files are`} no image by name and ${others.length === 1 ? 'was' : 'were'} left out: ${some(others)}.`,
    );
  if (found.images.length === 0)
    throw new CotuneError(
      'bad-input',
      `${root} has no images in class folders (found ${top.folders.length} folders and ${top.files.length} files at its top).`,
      'Expected one folder per class with JPEG, PNG, WebP, GIF, BMP or TIFF images, or train/, val/ and test/ folders that hold such class folders.',
    );
  return found;

  async function collect(folder: string, className: string, split: Split | null): Promise<void> {
    const real = await realpath(join(root, folder));
    if (visited.has(real)) {
      found.notes.push(`${folder} leads back to a folder that was read already; it was skipped.`);
      return;
    }
    visited.add(real);
    let listing: Listing;
    try {
      listing = await listFolder(join(root, folder));
    } catch (error) {
      found.issues.push({
        kind: 'broken',
        path: folder,
        detail: `the folder cannot be read: ${(error as Error).message}`,
      });
      return;
    }
    for (const file of listing.files) {
      const path = `${folder}/${file}`;
      if (isImage(file)) found.images.push({ path, className, split });
      else others.push(path);
    }
    for (const inner of listing.folders) await collect(`${folder}/${inner}`, className, split);
  }
}

const isImage = (path: string): boolean => imageExtensions.has(extname(path).toLowerCase());

const some = (names: string[]): string =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');

interface Listing {
  folders: string[];
  files: string[];
}

const systemFiles = new Set(['thumbs.db', 'desktop.ini', '__macosx']);

/** A folder's visible entries, sorted; links are followed. */
async function listFolder(path: string): Promise<Listing> {
  let entries: import('node:fs').Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const what =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'ENOTDIR'
          ? 'is not a folder'
          : `cannot be read (${code})`;
    throw new CotuneError('not-found', `The folder ${path} ${what}.`, 'Check the path and its permissions.', {
      cause: error,
    });
  }
  const listing: Listing = { folders: [], files: [] };
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || systemFiles.has(entry.name.toLowerCase())) continue;
    const folder = entry.isSymbolicLink() ? await leadsToFolder(join(path, entry.name)) : entry.isDirectory();
    if (folder) listing.folders.push(entry.name);
    else if (folder === false) listing.files.push(entry.name);
  }
  return listing;
}

/** Whether a link leads to a folder (true), to something else (false), or nowhere (null). */
async function leadsToFolder(path: string): Promise<boolean | null> {
  try {
    await readdir(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? false : null;
  }
}
