import type { SampleIssue } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Locator } from '../locator.ts';

/** The files below a dataset's root, be they in a folder or inside archives: what formats see. */
export interface FileTree {
  /** Where it is, an absolute path: for messages. */
  readonly folder: string;
  /** The file that the dataset was imported from, as it stands in `files`; null where it is the folder. */
  readonly named: string | null;
  /** By path relative to the folder, forward slashes, in the order of the paths. */
  readonly files: ReadonlyMap<string, TreeFile>;
  /** Folders without a file in or below them. */
  readonly emptyFolders: readonly string[];
  /** What could not be looked into. */
  readonly issues: readonly SampleIssue[];
  /** Archives whose content stands in the tree, but for one that is the tree. */
  readonly archives: readonly string[];
  /** What was left out on purpose, or is read in another way than where it lies. */
  readonly notes: readonly string[];
  /** Of the archives that it was read from, by path: `stampOf` them before. */
  readonly stamps: ReadonlyMap<string, string | null>;
  /**
   * The whole content of a file, of at most 512 MiB: for annotations. A path that does not stand in `files` is not read, be it
   * there or not. Errors: `bad-input`.
   */
  read(path: string): Promise<Buffer>;
  /** Where a file of this tree is. Errors: `bad-input` for a path that does not stand in `files`. */
  locate(path: string): Locator;
  /** The same for one that is to be opened in the middle: what is deflated is unpacked first. Errors: `bad-input`, as `unpack`. */
  seekable(path: string): Promise<Seekable>;
}

/** Where a file can be opened in the middle. */
export interface Seekable {
  /** For locators of pieces of it, which lie `within` what this gives. */
  container: Pick<Locator, 'file' | 'packed'>;
  /** Absolute. */
  path: string;
  /** Where in that it lies; without it, it is the whole. */
  within?: { offset: number; bytes: number };
}

export interface TreeFile {
  readonly bytes: number;
}

/** Bytes of the largest file that `FileTree.read` gives: COCO's instances_train2017.json has 448 MiB. */
export const maxReadBytes = 512 * 2 ** 20;

export const notThere = (folder: string, path: string): CotuneError =>
  new CotuneError(
    'bad-input',
    `There is no file ${path} in ${folder}.`,
    'Check what names it, and that the dataset is whole.',
  );

export const unusable = (path: string, reason: string, cause?: unknown): CotuneError =>
  new CotuneError('bad-input', `${path} cannot be read: ${reason}.`, 'Check that the file is whole.', {
    cause,
  });

export const tooLarge = (path: string, bytes: number): CotuneError =>
  unusable(
    path,
    `it has ${Math.round(bytes / 2 ** 20)} MiB, and tables and annotations may have ${maxReadBytes / 2 ** 20}`,
  );
