/** One class name and where its file has it. */
export interface NamedLine {
  name: string;
  /** Counted from 1; null where a form has no lines (JSON). */
  line: number | null;
}

/** The text of a class file. */
export interface ClassText {
  /** Extension in lower case, without the dot. */
  extension: string;
  text: string;
  /** Its lines, trimmed, blank ones included. */
  lines: string[];
}

/** What is wrong with a class file, and in which line (from 1) where one is to blame. */
export class UnreadableClasses extends Error {
  readonly line: number | null;
  constructor(what: string, line: number | null = null) {
    super(what);
    this.line = line;
  }
}

/** A way in which people write class names down. The first form that recognizes a file reads it. */
export interface ClassForm {
  /** What messages call it: «… is a JSON list». */
  title: string;
  recognizes(file: ClassText): boolean;
  /** Names in the order of the head's outputs. Throws `UnreadableClasses`. */
  read(file: ClassText): NamedLine[];
}

/** The lines that hold something, with their numbers. */
export const filledLines = ({ lines }: ClassText): { text: string; line: number }[] =>
  lines.flatMap((text, index) => (text === '' ? [] : [{ text, line: index + 1 }]));

/**
 * Names in the order of their indices. What is not a numbering from 0 or from 1 without gap or repetition is refused,
 * naming the first index that is wrong.
 */
export function byIndex(entries: { index: number; named: NamedLine }[]): NamedLine[] {
  const sorted = [...entries].sort((a, b) => a.index - b.index);
  const first = sorted[0]?.index;
  if (first !== 0 && first !== 1)
    throw new UnreadableClasses(`its first index is ${first}, not 0 or 1`, sorted[0]?.named.line ?? null);
  for (const [place, { index, named }] of sorted.entries()) {
    if (index === first + place) continue;
    const what = index < first + place ? `index ${index} appears twice` : `index ${first + place} is missing`;
    throw new UnreadableClasses(what, named.line);
  }
  return sorted.map(({ named }) => named);
}

/** Whether numbers are 0 … n-1 or 1 … n, in any order. */
export function numbersAll(indices: number[]): boolean {
  const first = Math.min(...indices.slice(0, 1), ...indices.filter((index) => index <= 1));
  return (
    (first === 0 || first === 1) &&
    new Set(indices).size === indices.length &&
    indices.every((index) => Number.isInteger(index) && index >= first && index < first + indices.length)
  );
}
