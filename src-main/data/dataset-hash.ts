import { createHash } from 'node:crypto';
import type { Sample, TextContent } from '../../src-shared/domain.ts';

/** Lines that are hashed at once. */
const together = 1000;

/** SHA-256 of a text with its words and tags. */
export const textHash = ({ text, words, tags }: TextContent): string =>
  createHash('sha256').update(JSON.stringify({ text, words, tags })).digest('hex');

/** SHA-256 over the (path, content hash, class, split) list of a dataset's images, which are sorted by path. */
export function datasetHash(
  samples: readonly Pick<Sample, 'path' | 'hash' | 'label' | 'split'>[],
  classes: readonly string[],
): string {
  const hash = createHash('sha256');
  const lineOf = ({ path, hash: content, label, split }: (typeof samples)[number]) =>
    `${JSON.stringify([path, content, classes[label], split])}\n`;
  for (let first = 0; first < samples.length; first += together)
    hash.update(
      samples
        .slice(first, first + together)
        .map(lineOf)
        .join(''),
    );
  return hash.digest('hex');
}
