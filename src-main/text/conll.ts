/** Columns of words with tags, as in CoNLL's shared tasks: a word a line, its tag last, sentences divided by empty lines. */

import { isTag } from '../../src-shared/entities.ts';

/** How tags mark where an entity begins: see Tjong Kim Sang and Veenstra, «Representing Text Chunks», EACL 1999. */
export type TagScheme = 'IOB1' | 'IOB2' | 'IOBES';

export interface TaggedSentence {
  words: string[];
  /** As in the file. */
  tags: string[];
  /** The file's line of its first word, from 1. */
  line: number;
  /** Whether a document begins with it. */
  opensDocument: boolean;
}

const documentMark = '-DOCSTART-';
/** Lines by which a file is told, and the share of them that must have a tag. */
const looked = 200;
const leastShare = 0.8;

/** Whether a text is in columns whose last one holds tags. */
export function isConll(text: string): boolean {
  const rows = text
    .split(/\r?\n/, looked)
    .map(columns)
    .filter((row) => row.length > 0);
  const tagged = rows.filter((row) => row.length >= 2 && isTag(row.at(-1)!));
  return rows.length > 0 && tagged.length >= leastShare * rows.length;
}

/** The sentences of a text in columns. Lines without a tag have `O`; `onOdd` is told of each, with its number from 1. */
export function readConll(text: string, onOdd: (line: number) => void = () => {}): TaggedSentence[] {
  const sentences: TaggedSentence[] = [];
  let open: TaggedSentence | undefined;
  let opensDocument = true;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const row = columns(line);
    if (row.length === 0 || row[0] === documentMark) {
      open = undefined;
      opensDocument ||= row[0] === documentMark;
      continue;
    }
    const isWhole = row.length > 1 && isTag(row.at(-1)!);
    if (!isWhole) onOdd(index + 1);
    if (!open) {
      open = { words: [], tags: [], line: index + 1, opensDocument };
      sentences.push(open);
      opensDocument = false;
    }
    open.words.push(row[0]);
    open.tags.push(isWhole ? row.at(-1)! : 'O');
  }
  return sentences;
}

const columns = (line: string): string[] => line.split(/[ \t]+/).filter(Boolean);

/**
 * The scheme that tags are in, and sentences that break it. E and S are of IOBES alone; B at every beginning is IOB2; B only
 * between neighbors of one type, IOB1.
 */
export function schemeOf(sentences: readonly { tags: readonly string[] }[]): TagScheme {
  let beginsWithInside = false;
  for (const { tags } of sentences)
    for (const [at, one] of tags.entries()) {
      if (/^[ES]-/.test(one)) return 'IOBES';
      const before = tags[at - 1] ?? 'O';
      if (one.startsWith('I-') && before.slice(2) !== one.slice(2)) beginsWithInside = true;
    }
  return beginsWithInside ? 'IOB1' : 'IOB2';
}
