/** A sentence's tags in one line, as edits keep them and people type them: divided by blanks, which a type may have inside as well. */
import { entitiesOf, isTag, tagsOf } from './entities.ts';

/** Blanks with a tag behind them. */
const between = /\s+(?=O(?:\s|$)|[BIES]-\S)/;

export const tagLine = (tags: readonly string[]): string => tags.join(' ');

/** A line's tags, whatever they are. */
export const splitTagLine = (line: string): string[] => line.trim().split(between);

/** The entities of such a line for people: their types with the numbers of their words, from 1. */
export function entitiesInLine(line: string): string {
  const entities = entitiesOf(splitTagLine(line)).map(
    ({ type, start, end }) => `${type} ${start + 1}${end > start + 1 ? `–${end}` : ''}`,
  );
  return entities.join(', ') || 'no entity';
}

/** Why some of what stands for tags is none, a sentence without its end; null where all are. */
export function whyNoTags(given: readonly string[]): string | null {
  const strange = given.find((one) => !isTag(one));
  return strange === undefined ? null : `“${strange}” is no tag: O, or B, I, E or S with a type, as B-PER`;
}

/** Tags of so many words in IOB2, whatever scheme they are given in; or what is wrong with them, a sentence without its end. */
export function readTags(given: readonly string[], words: number): { tags: string[] } | { problem: string } {
  const problem = whyNoTags(given);
  if (problem !== null) return { problem };
  if (given.length !== words) return { problem: `there are ${given.length} tags for ${words} words` };
  return { tags: tagsOf(entitiesOf(given), words) };
}
