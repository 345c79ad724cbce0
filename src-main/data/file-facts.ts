import type { Sample } from '../../src-shared/domain.ts';
import { openImage } from './decode.ts';
import { withStamp } from './file-stamp.ts';
import type { Place } from './locator.ts';
import { lookOf } from './look-of.ts';
import { differenceHash, type Look } from './perceptual-hash.ts';
import { fileOf, hashLocated, readLocated } from './read-located.ts';

export interface FileFacts extends Pick<Sample, 'width' | 'height' | 'bytes' | 'hash' | 'perceptualHash'> {
  /** `stampOf` the file that it is in when it was read; null where that says nothing. */
  stamp: string | null;
}

/** Reads and decodes an image. `bytes` are those of the whole image file, whatever is cut out. Throws `ImageProblem` where it cannot be used; system errors pass through. */
export async function readFacts(
  place: Place,
): Promise<{ facts: FileFacts; look: Look; reading: string | null }> {
  const { value: data, stamp } = await withStamp(fileOf(place), () => readLocated(place));
  const image = await openImage(data, place.locator.crop);
  const look = await lookOf(image);
  const hash = hashLocated(data, place.locator);
  const { width, height } = image;
  const perceptualHash = differenceHash(look);
  return {
    facts: { width, height, bytes: data.length, hash, perceptualHash, stamp },
    look,
    reading: image.reading,
  };
}
