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

/** Whether the tags of a sample `s`, which are in IOB2, hold an entity of the type @type. */
export const holdsType = "EXISTS (SELECT 1 FROM json_each(s.content, '$.tags') WHERE value = 'B-' || @type)";
