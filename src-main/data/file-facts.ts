import { createHash } from 'node:crypto';
import type { Sample } from '../../src-shared/domain.ts';
import { openImage } from './decode.ts';
import { withStamp } from './file-stamp.ts';
import { readImageFile } from './image-file.ts';
import { lookOf } from './look-of.ts';
import { differenceHash, type Look } from './perceptual-hash.ts';

export interface FileFacts extends Pick<Sample, 'width' | 'height' | 'bytes' | 'hash' | 'perceptualHash'> {
  /** `stampOf` the file when it was read; null where that says nothing. */
  stamp: string | null;
}

/** Reads and decodes an image file. Throws `ImageProblem` where it cannot be used; system errors pass through. */
export async function readFacts(
  path: string,
): Promise<{ facts: FileFacts; look: Look; reading: string | null }> {
  const { value: data, stamp } = await withStamp(path, () => readImageFile(path));
  const image = await openImage(data);
  const look = await lookOf(image);
  const hash = createHash('sha256').update(data).digest('hex');
  const { width, height } = image;
  const perceptualHash = differenceHash(look);
  return {
    facts: { width, height, bytes: data.length, hash, perceptualHash, stamp },
    look,
    reading: image.reading,
  };
}
