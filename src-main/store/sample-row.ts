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
