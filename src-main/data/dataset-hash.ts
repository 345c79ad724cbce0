import { createHash } from 'node:crypto';
import type { Sample } from '../../src-shared/domain.ts';

/** SHA-256 over the (path, content hash, class, split) list of a dataset's images, which are sorted by path. */
export function datasetHash(
  samples: readonly Pick<Sample, 'path' | 'hash' | 'label' | 'split'>[],
  classes: readonly string[],
): string {
  const hash = createHash('sha256');
  for (const { path, hash: content, label, split } of samples) {
    hash.update(`${JSON.stringify([path, content, classes[label], split])}\n`);
  }
  return hash.digest('hex');
}
