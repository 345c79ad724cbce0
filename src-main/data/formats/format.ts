import type { z } from 'zod';
import type { ImportLayout, TableColumns, TablePreview } from '../../../src-shared/contract.ts';
import type { SampleIssue, Split, TextContent } from '../../../src-shared/domain.ts';
import type { Locator } from '../locator.ts';
import type { FileTree } from '../trees/tree.ts';

/** One image of a class, or a text. */
export interface FoundImage {
  /** Its name inside the dataset, unique, forward slashes: what people read, and part of the dataset's hash. */
  path: string;
  /** Empty for a text that has tags instead. */
  className: string;
  /** Null where the dataset gives none. */
  split: Split | null;
  /** Where it is; `tree.locate(path)` where left out. */
  locator?: Locator;
  /** What must not stand on two sides of a split: a patient, a video, an individual. */
  group?: string;
  /** What it is where it is a text: it is in the dataset's record, and read from no file again. */
  text?: TextContent;
}

/** How the images of a dataset may lie, and how they are found: one file each, one line in `index.ts`. */
export interface DatasetFormat {
  /** Kebab-case, as people name it: `--format NAME`. */
  name: string;
  title: string;
  /** What lies where, in a sentence. */
  help: string;
  /** Where the layout is defined. */
  source: string;
  /** What a person may choose, each with its default, and `title` and `description` in its `meta`; values come as text. */
  options?: z.ZodObject;
  /**
   * Where what is in archives belongs that lie side by side: `in-place` where the dataset's authors publish several that are to
   * be unpacked in one folder; else each is a folder of its name.
   */
  archives?: 'in-place';
  /** How surely a tree is of this format, and why; null where it is not. */
  detect(tree: FileTree): Promise<Detection | null>;
  /**
   * What the tree holds, image by image, in any order. A file that is named and not there is an issue, not an error. Errors:
   * `bad-input` where the tree is not of this format after all.
   */
  read(tree: FileTree, options: FormatOptions): AsyncIterable<FoundImage>;
  /** Of a format that reads tables: the first rows of the one that it would read; null where there is none. */
  preview?(tree: FileTree, options: FormatOptions): Promise<TablePreview | null>;
}

export interface Detection {
  /** 0 to 1: the highest is taken. Folders of images have 0.1. */
  confidence: number;
  /** A sentence that a person reads: «images.txt and train_test_split.txt lie side by side.» */
  why: string;
}

/** What a format is given beside the tree, and what it says beside its images. */
export interface FormatOptions {
  /** Says what a person should know. */
  tell(note: string): void;
  /** Names what is left out. */
  issue(issue: SampleIssue): void;
  /** Names a folder of images without a label. */
  unlabelled(folder: UnlabelledFolder): void;
  /** The classes in their order, where the dataset has one of its own; without it they are sorted by name. */
  classes(names: readonly string[]): void;
  /** Which folders are splits and classes. */
  layout: ImportLayout;
  /** Which columns of a table are which, where a person said it. */
  columns: TableColumns;
  /** The format's own options, checked against its schema and complete. */
  values: Record<string, unknown>;
}

/** Images without a label, which are left out; `path` is their folder's. */
export interface UnlabelledFolder {
  path: string;
  images: number;
}
