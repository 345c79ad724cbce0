import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Sample } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';

const atOnce = 32;

/**
 * Makes sure that a dataset's images are those that were imported. A file that the file system says was touched after
 * the import (`importedAt`, ISO time) is hashed again; the others are believed by their size.
 * Errors: `conflict`, naming the first few that differ.
 */
export async function checkUnchanged(
  folder: string,
  samples: readonly Sample[],
  importedAt: string,
): Promise<void> {
  const since = Date.parse(importedAt);
  const changed: string[] = [];
  const queue = samples.values();
  const worker = async () => {
    for (const sample of queue) {
      const difference = await differs(join(folder, sample.path), sample, since);
      if (difference) changed.push(`${sample.path} ${difference}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (changed.length === 0) return;
  const named = changed.slice(0, 3).join('; ');
  throw new CotuneError(
    'conflict',
    `${changed.length} of ${samples.length} images in ${folder} changed since the import: ${named}${changed.length > 3 ? '; …' : ''}.`,
    'Import the folder again under the same name, then start the run again.',
  );
}

async function differs(path: string, sample: Sample, since: number): Promise<string | undefined> {
  try {
    const { size, mtimeMs, ctimeMs } = await stat(path);
    if (size !== sample.bytes) return `has ${size} bytes instead of ${sample.bytes}`;
    if (Math.max(mtimeMs, ctimeMs) < since) return undefined;
    return (await hashFile(path)) === sample.hash ? undefined : 'has different content';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'is missing'
      : `cannot be read (${(error as Error).message})`;
  }
}

/** SHA-256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
