import type { Preprocessing } from '../../src-shared/domain.ts';
import { normalizationOf, type Size, viewCrop } from './crops.ts';
import { evaluations } from './evaluations/index.ts';
import { loadImage } from './image-cache.ts';
import { resample } from './resample.ts';
import { resizeOf } from './resizes/index.ts';
import { type ImageSource, storedShorter } from './stored-images.ts';

/** What a network sees of one picture in evaluation. */
export interface SeenImage {
  /** [size, size, 3], normalized. */
  pixels: Float32Array;
  /**
   * Where that is in the picture: left, top, width and height as shares of its width and height. What is padded around it is
   * outside of 0 to 1.
   */
  region: [number, number, number, number];
}

/** One picture as evaluation sees it, by its first view. Errors: as `loadImage`. */
export async function evaluationImage(
  source: ImageSource,
  size: number,
  preprocessing: Preprocessing,
  cacheFolder: string,
): Promise<SeenImage> {
  const cache = { folder: cacheFolder, shorter: storedShorter(size, preprocessing) };
  const stored = await loadImage(source, cache, false);
  const resize = resizeOf(preprocessing);
  const image = resize.shape?.(stored, preprocessing) ?? stored;
  const resized = resize.evaluated(image, size, preprocessing);
  const crop = viewCrop(image, size, resized, evaluations[0].views[0]);
  const pixels = new Float32Array(size * size * 3);
  resample(image, crop, normalizationOf(preprocessing), pixels);
  // How many pixels of the resized picture are of the picture itself, in the middle of what was padded around it.
  const own: Size = [
    (resized[0] * stored.originalWidth) / image.originalWidth,
    (resized[1] * stored.originalHeight) / image.originalHeight,
  ];
  const left = (crop.columns.first - (resized[0] - own[0]) / 2) / own[0];
  const top = (crop.rows.first - (resized[1] - own[1]) / 2) / own[1];
  return { pixels, region: [left, top, size / own[0], size / own[1]] };
}
