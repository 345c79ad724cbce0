import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, isAbsolute, join, relative } from 'node:path';
import type { SampleIssue, Split } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';

const imageExtensions = /^\.(jpe?g|jpe|jfif|mpo|png|webp|gif|bmp|dib|tiff?)$/i;
const otherImageExtensions =
  /^\.(heic|heif|avif|jxl|jp2|svg|psd|ai|eps|pdf|ico|tga|exr|hdr|dng|cr[23]|nef|arw|orf|rw2|raf|raw)$/i;
const systemEntries = /^(__macosx|thumbs\.db|desktop\.ini|@eadir|\$recycle\.bin|system volume information)$/i;

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

const splitNames: ReadonlyMap<string, Split> = new Map([
  ['train', 'train'],
  ['training', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['validation', 'val'],
  ['test', 'test'],
  ['testing', 'test'],
]);
const splitOf = (name: string): Split | undefined => splitNames.get(name.toLowerCase());

/**
 * Lists the images of a labelled folder by name: `train/ val/ test/` each with one folder per class, or one folder
 * per class at the top. Folders inside a class folder belong to that class; hidden entries are ignored; links are
 * followed, and a folder that was read already is not read again.
 * @throws CotuneError `not-found` for a missing folder, `bad-input` where no class folder holds an image.
 */
export async function findImages(root: string): Promise<FoundImages> {
  return new Search(root).run();
}

class Search {
  readonly root: string;
  readonly images: FoundImage[] = [];
  readonly issues: SampleIssue[] = [];
  readonly notes: string[] = [];
  /** Real paths of the folders read so far. */
  readonly visited = new Set<string>();
  /** Real path of the folder itself. */
  home = '';
  /** Files that are no images by name. */
  readonly others: string[] = [];
  /** Images outside any class folder. */
  readonly stray: string[] = [];

  constructor(root: string) {
    this.root = root;
  }

  async run(): Promise<FoundImages> {
    let base = '';
    let top = await listTop(this.root);
    this.home = top.real;
    this.visited.add(top.real);
    // Archives often unpack into one folder inside another.
    while (top.folders.length === 1 && !top.files.some(isImage) && !splitOf(top.folders[0])) {
      const below = base ? `${base}/${top.folders[0]}` : top.folders[0];
      const inner = await listFolder(join(this.root, below)).catch(() => null);
      if (!inner || inner.folders.length === 0 || inner.files.some(isImage) || this.visited.has(inner.real))
        break;
      this.visited.add(inner.real);
      base = below;
      top = inner;
    }
    if (base) this.notes.push(`The images were found inside the folder ${base}.`);
    const prefix = base && `${base}/`;

    const layout = await this.splitLayout(prefix, top);
    if (layout) await this.readSplits(prefix, top, layout);
    else {
      this.noteStray(prefix, top);
      for (const name of top.folders) await this.readClass(prefix + name, name, null);
    }
    if (this.images.length === 0) throw this.nothingFound(top, layout !== null);
    this.summarize();
    return { images: this.images, issues: this.issues, notes: this.notes };
  }

  /** The split folders and their listings, or null where the folders at the top are classes. */
  private async splitLayout(prefix: string, top: Listing): Promise<Map<string, Listing> | null> {
    const inside = new Map<string, Listing>();
    for (const name of top.folders.filter((name) => splitOf(name))) {
      const listing = await this.tryList(prefix + name);
      if (listing) inside.set(name, listing);
    }
    // A class may be called "train": only a folder of folders is a split.
    const nested = [...inside].filter(([, listing]) => listing.folders.length > 0);
    const onlySplits = nested.length > 0 && inside.size === top.folders.length;
    return nested.some(([name]) => splitOf(name) === 'train') || onlySplits ? inside : null;
  }

  private async readSplits(prefix: string, top: Listing, inside: Map<string, Listing>): Promise<void> {
    for (const { real } of inside.values()) this.visited.add(real);
    const present = new Set([...inside.keys()].map(splitOf));
    if (!present.has('train')) {
      throw new CotuneError(
        'bad-input',
        `${this.root} has ${[...inside.keys()].map((name) => `${name}/`).join(' and ')} but no train/ folder.`,
        'Put the training images into train/, with one folder per class inside.',
      );
    }
    const valIsTest = present.has('val') && !present.has('test');
    if (valIsTest) {
      this.notes.push(
        'There is a validation folder but no test folder: its images serve as the test split, and validation images are set aside from the training images.',
      );
    }
    for (const [name, listing] of inside) {
      const given = splitOf(name)!;
      this.noteStray(`${prefix}${name}/`, listing);
      for (const folder of listing.folders) {
        await this.readClass(
          `${prefix}${name}/${folder}`,
          folder,
          given === 'val' && valIsTest ? 'test' : given,
        );
      }
    }
    this.noteStray(prefix, top);
    const ignored = top.folders.filter((name) => !splitOf(name));
    if (ignored.length > 0) this.notes.push(`Folders beside train were not read: ${some(ignored)}.`);
  }

  private noteStray(prefix: string, listing: Listing): void {
    for (const file of listing.files) (isImage(file) ? this.stray : this.others).push(prefix + file);
  }

  private async readClass(folder: string, name: string, split: Split | null): Promise<void> {
    const listing = await this.tryList(folder);
    if (!listing) return;
    if (this.visited.has(listing.real) || isInside(this.home, listing.real)) {
      this.notes.push(
        `The folder ${folder} leads back to one that was read already, or around it; it was skipped.`,
      );
      return;
    }
    this.visited.add(listing.real);
    // The same letters may be composed or not, depending on the system that made the folder.
    const className = name.normalize('NFC');
    for (const file of listing.files) {
      const path = `${folder}/${file}`;
      const extension = extname(file);
      if (isImage(file)) this.images.push({ path, className, split });
      else if (otherImageExtensions.test(extension)) {
        const detail = `${extension.slice(1).toUpperCase()} files are not read; convert it to JPEG or PNG`;
        this.issues.push({ kind: 'unsupported', path, detail });
      } else this.others.push(path);
    }
    for (const inner of listing.folders) await this.readClass(`${folder}/${inner}`, name, split);
  }

  /** A folder's entries; null, with the reason on record, where it cannot be read. */
  private async tryList(folder: string): Promise<Listing | null> {
    try {
      return await listFolder(join(this.root, folder));
    } catch (error) {
      const detail = `the folder cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`;
      this.issues.push({ kind: 'broken', path: folder, detail });
      return null;
    }
  }

  private summarize(): void {
    for (const path of this.stray) {
      this.issues.push({ kind: 'unsupported', path, detail: 'it lies outside any class folder' });
    }
    const { length } = this.others;
    if (length > 0) {
      const what =
        length === 1 ? '1 file is no image by its name' : `${length} files are no images by their names`;
      this.notes.push(`${what} and left out: ${some(this.others)}.`);
    }
  }

  private nothingFound(top: Listing, splits: boolean): CotuneError {
    const found = [
      `${top.folders.length} folders${top.folders.length > 0 ? ` (${some(top.folders)})` : ''}`,
      `${this.stray.length} images outside class folders`,
      `${this.others.length} other files`,
      ...(this.issues.length > 0 ? [`${this.issues[0].path}: ${this.issues[0].detail}`] : []),
    ];
    return new CotuneError(
      'bad-input',
      `${this.root} has no images in class folders; found ${found.join(', ')}.`,
      splits
        ? 'Expected one folder per class inside train/, with JPEG, PNG, WebP, GIF, BMP or TIFF images.'
        : 'Expected one folder per class with JPEG, PNG, WebP, GIF, BMP or TIFF images, or train/, val/ and test/ holding such folders.',
    );
  }
}

const isImage = (name: string): boolean => imageExtensions.test(extname(name));

/** Whether `path` lies below `folder`, both real paths. */
function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function some(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return names.slice(0, 3).join(', ') + more;
}

interface Listing {
  /** The folder's path with every link followed. */
  real: string;
  folders: string[];
  files: string[];
}

async function listTop(path: string): Promise<Listing> {
  try {
    return await listFolder(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = { ENOENT: 'does not exist', ENOTDIR: 'is not a folder' };
    throw new CotuneError(
      code === 'ENOENT' ? 'not-found' : 'bad-input',
      `The folder ${path} ${reasons[code ?? ''] ?? `cannot be read (${code})`}.`,
      'Check the path and its permissions.',
      { cause: error },
    );
  }
}

/** The visible entries of a folder in the order of their names; a link counts as what it leads to. */
async function listFolder(path: string): Promise<Listing> {
  const entries = await readdir(path, { withFileTypes: true });
  const listing: Listing = { real: await realpath(path), folders: [], files: [] };
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || systemEntries.test(entry.name)) continue;
    const folder = await isFolder(path, entry);
    (folder ? listing.folders : listing.files).push(entry.name);
  }
  return listing;
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const target = await stat(join(path, entry.name)).catch(() => null);
  return target?.isDirectory() ?? false;
}
