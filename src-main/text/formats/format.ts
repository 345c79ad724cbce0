import type { Split } from '../../../src-shared/domain.ts';

/** A text as its file has it. */
export interface TextSample {
  text: string;
  /** Where the file has it in words. */
  words: string[] | null;
  label: string | null;
  /** A tag for each word. */
  tags: string[] | null;
  /** The file's line that it begins at, from 1. */
  line: number;
}

export interface ReadTexts {
  samples: TextSample[];
  /** What is known of all of them, a part of a sentence: `IOB1 tags, 946 documents`; empty where there is nothing to say. */
  facts: string;
  /** Lines that could not be read as the others, from 1. */
  odd: number[];
}

/** One way to keep texts in a file. */
export interface TextFormat {
  name: string;
  title: string;
  /** What it looks like, a part of a sentence. */
  help: string;
  /** Where it is defined. */
  source: string;
  /** The split that a file's name stands for, where it is not one of the usual words. */
  splitOf?(name: string): Split | null;
  /** Whether the content of a file, whose name ends with `extension` (`.csv`), is of this kind. */
  is(content: string, extension: string): boolean;
  read(content: string, extension: string): ReadTexts;
}

/** Lines by which a file is told. */
const looked = 200;

/** The first lines of a file that are not empty. */
export const firstLines = (content: string): string[] =>
  content
    .split(/\r?\n/, looked)
    .map((line) => line.trim())
    .filter(Boolean);

/** A label as a file has it: names, numbers and truth values. */
export const labelOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;

/** Names of columns or keys that hold the text, the label, the words and the tags, the better ones first. */
export const titles = {
  text: ['text', 'sentence', 'content', 'review', 'question', 'title'],
  label: ['label', 'labels', 'class', 'category', 'sentiment', 'target'],
  words: ['tokens', 'words'],
  tags: ['tags', 'ner_tags', 'labels'],
} as const;
