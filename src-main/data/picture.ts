import type { Sharp } from 'sharp';
import { openImage } from './decode.ts';
import { decoding } from './decoding.ts';
import { withStamp } from './file-stamp.ts';
import { isPlainFile, type Place } from './locator.ts';
import { fileOf, hashLocated, readLocated } from './read-located.ts';
import { thumbnailRecipe } from './thumbnail-recipe.ts';

export interface MadePicture {
  contentType: string;
  /** Null where browsers show the file as it is, the whole of it. */
  data: Uint8Array | null;
  /** SHA-256 of what it was made from. */
  hash: string;
  /** `stampOf` the file that it is in when it was read; null where that says nothing. */
  stamp: string | null;
}

/** What every browser shows by itself. */
const displayable: readonly string[] = ['jpeg', 'png', 'webp', 'gif'];

/**
 * A picture of an image for display. `thumb`: WebP of at most 256 px. `full`: the file as it is where browsers show
 * its format, else as PNG, or as JPEG above 4 million pixels. Errors: `ImageProblem` where it cannot be decoded; system
 * errors pass through.
 */
export async function makePicture(place: Place, size: 'thumb' | 'full'): Promise<MadePicture> {
  const { locator } = place;
  const { value: bytes, stamp } = await withStamp(fileOf(place), () => readLocated(place));
  const from = { hash: hashLocated(bytes, locator), stamp };
  const image = await openImage(bytes, locator.crop);
  const encoded = async (contentType: string, pipeline: Sharp): Promise<MadePicture> => {
    const data = await decoding('together', () => pipeline.toBuffer());
    return { ...from, contentType, data };
  };
  if (size === 'thumb') {
    const { side, quality } = thumbnailRecipe;
    const small = image.pipeline('error').resize(side, side, { fit: 'inside', withoutEnlargement: true });
    return encoded('image/webp', small.webp({ quality }));
  }
  // A PNG of 12 bits in 16 is black in a browser.
  const plain = image.format !== 'png' || image.reading === null;
  if (plain && !locator.crop && displayable.includes(image.format)) {
    const data = isPlainFile(locator) ? null : bytes;
    return { ...from, contentType: `image/${image.format}`, data };
  }
  if (image.width * image.height > 4e6) {
    return encoded('image/jpeg', image.pipeline('error').jpeg({ quality: 92 }));
  }
  return encoded('image/png', image.pipeline('error').png());
}
