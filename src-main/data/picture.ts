import { createHash } from 'node:crypto';
import type { Sharp } from 'sharp';
import { openImage } from './decode.ts';
import { decoding } from './decoding.ts';
import { withStamp } from './file-stamp.ts';
import { readImageFile } from './image-file.ts';
import { thumbnailRecipe } from './thumbnail-recipe.ts';

export interface MadePicture {
  contentType: string;
  /** Null where browsers show the file as it is. */
  data: Uint8Array | null;
  /** SHA-256 of the file that it was made from. */
  hash: string;
  /** `stampOf` the file when it was read; null where that says nothing. */
  stamp: string | null;
}

/** What every browser shows by itself. */
const displayable: readonly string[] = ['jpeg', 'png', 'webp', 'gif'];

/**
 * A picture of an image file for display. `thumb`: WebP of at most 256 px. `full`: the file as it is where browsers show
 * its format, else as PNG, or as JPEG above 4 million pixels. Errors: `ImageProblem` where it cannot be decoded; system
 * errors pass through.
 */
export async function makePicture(path: string, size: 'thumb' | 'full'): Promise<MadePicture> {
  const { value: bytes, stamp } = await withStamp(path, () => readImageFile(path));
  const from = { hash: createHash('sha256').update(bytes).digest('hex'), stamp };
  const image = await openImage(bytes);
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
  if (plain && displayable.includes(image.format))
    return { ...from, contentType: `image/${image.format}`, data: null };
  if (image.width * image.height > 4e6) {
    return encoded('image/jpeg', image.pipeline('error').jpeg({ quality: 92 }));
  }
  return encoded('image/png', image.pipeline('error').png());
}
