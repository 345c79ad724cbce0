import type { Preprocessing } from '../../src-shared/domain.ts';
import { centerCrop, evaluationShorter, normalizationOf, randomCrop } from './crops.ts';
import { type ImageCache, type ImageSource, loadImage } from './image-cache.ts';
import { randomOf } from './random.ts';
import { resample } from './resample.ts';

/** One batch to make: a pure function of its fields and the images' content. */
export interface BatchRequest {
  /** `keep`: whether the cache may store it. */
  sources: (ImageSource & { keep: boolean })[];
  /** Images in the batch; places beyond the sources stay zero. */
  batch: number;
  cache: ImageCache;
  /** Side of the square crop in pixels. */
  size: number;
  preprocessing: Preprocessing;
  /** Random crops drawn by (seed, step, position), or null for the center crop of evaluation. */
  augment: { seed: number; step: number } | null;
}

/** Images decoded at a time. */
const decodedAtOnce = 4;

/**
 * Largest shorter side in pixels that is kept of an image for crops of `size`: twice the crop, so that a random crop
 * of a fifth of a 4:3 image needs no enlargement (of a square one, by 1.12), and the evaluation resize shrinks it once
 * more. 1.5 times would take half of the space and blur a third of the crops; the whole image helps no crop.
 */
export const storedShorter = (size: number, preprocessing: Preprocessing): number =>
  Math.max(2 * size, evaluationShorter(size, preprocessing));

/** Makes a batch: float32 [batch, size, size, 3], normalized. Errors as `loadImage`. */
export async function makeImages(request: BatchRequest): Promise<Float32Array<ArrayBuffer>> {
  const { sources, batch, cache, size, preprocessing, augment } = request;
  const images = new Float32Array(batch * size * size * 3);
  const normalization = normalizationOf(preprocessing);
  const shorter = evaluationShorter(size, preprocessing);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < sources.length) {
      const position = next++;
      const image = await loadImage(sources[position], cache, sources[position].keep);
      const { columns, rows, mirrored } = augment
        ? randomCrop(image, size, randomOf(augment.seed, 'crop', augment.step, position))
        : centerCrop(image, size, shorter);
      resample(image, columns, rows, mirrored, normalization, images, position * size * size * 3);
    }
  };
  await Promise.all(Array.from({ length: decodedAtOnce }, worker));
  return images;
}
