import type { Sample, TextContent } from '../../src-shared/domain.ts';

/** A row with a sample's columns: what is a text is kept as JSON. */
export type Contented<S extends Pick<Sample, 'text'>> = Omit<S, 'text'> & { content: string | null };

/** The sample of a row, with whatever stands beside it. */
export function sampleOf<R extends { content: string | null }>({
  content,
  ...sample
}: R): Omit<R, 'content'> & { text?: TextContent } {
  return content === null ? sample : { ...sample, text: JSON.parse(content) };
}

/** Whether tags, JSON in a column and in IOB2, hold an entity of the type @type. */
export const holdsType = (tags: string): string =>
  `EXISTS (SELECT 1 FROM json_each(${tags}) WHERE value = 'B-' || @type)`;
