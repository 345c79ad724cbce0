import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Sample } from '../../src-shared/domain.ts';
import { openImage, readImageFile } from './decode.ts';
import { differenceHash, type Look, lookOf } from './perceptual-hash.ts';

export type FileFacts = Pick<Sample, 'width' | 'height' | 'bytes' | 'hash' | 'perceptualHash'>;

/** Reads and decodes an image file. Throws `ImageProblem` where it cannot be used; system errors pass through. */
export async function readFacts(path: string): Promise<{ facts: FileFacts; look: Look }> {
  const data = await readImageFile(path);
  const image = await openImage(data);
  const look = await lookOf(image);
  const hash = createHash('sha256').update(data).digest('hex');
  const { width, height } = image;
  return { facts: { width, height, bytes: data.length, hash, perceptualHash: differenceHash(look) }, look };
}

/** The look of an image read before, or null where it can no longer be read. */
export async function readLook(path: string): Promise<Look | null> {
  return readFacts(path).then(
    ({ look }) => look,
    () => null,
  );
}

/**
 * Whether a file is as it was at `since` (milliseconds): size, and neither content nor directory entry touched. The
 * change time also tells an older file moved into place.
 */
export async function unchangedSince(path: string, bytes: number, since: number): Promise<boolean> {
  const { size, mtimeMs, ctimeMs } = await stat(path);
  return size === bytes && mtimeMs < since && ctimeMs < since;
}
