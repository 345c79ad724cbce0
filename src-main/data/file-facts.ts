import { createHash } from 'node:crypto';
import type { Sample } from '../../src-shared/domain.ts';
import { openImage, readImageFile } from './decode.ts';
import { withStamp } from './file-stamp.ts';
import { differenceHash, type Look, lookOf } from './perceptual-hash.ts';

export interface FileFacts extends Pick<Sample, 'width' | 'height' | 'bytes' | 'hash' | 'perceptualHash'> {
  /** `stampOf` the file when it was read; null where that says nothing. */
  stamp: string | null;
}

/** Reads and decodes an image file. Throws `ImageProblem` where it cannot be used; system errors pass through. */
export async function readFacts(path: string): Promise<{ facts: FileFacts; look: Look }> {
  const { value: data, stamp } = await withStamp(path, () => readImageFile(path));
  const image = await openImage(data);
  const look = await lookOf(image);
  const hash = createHash('sha256').update(data).digest('hex');
  const { width, height } = image;
  const perceptualHash = differenceHash(look);
  return { facts: { width, height, bytes: data.length, hash, perceptualHash, stamp }, look };
}

/** The look of an image read before, or null where it can no longer be read. */
export async function readLook(path: string): Promise<Look | null> {
  return readFacts(path).then(
    ({ look }) => look,
    () => null,
  );
}
