import type { Preprocessing } from '../../src-shared/domain.ts';
import { type ErrorValue, toErrorValue } from '../../src-shared/errors.ts';
import { normalizationOf, viewCrop } from './crops.ts';
import type { View } from './evaluation.ts';
import { loadImage, type StoredImage } from './image-cache.ts';
import { resample } from './resample.ts';
import { resizeOf } from './resizes/index.ts';
import type { ImageCache, ImageSource } from './stored-images.ts';
import { type TrainingLook, trainingLook } from './training-look.ts';

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
  /** What training sees, drawn by (seed, step, position), or for every source the view that evaluation takes of it. */
  see: TrainingLook | { views: readonly View[] };
}

/** Images decoded at a time. */
const decodedAtOnce = 4;

export interface MadeImages {
  /** [batch, size, size, 3], normalized. */
  images: Float32Array<ArrayBuffer>;
  /** Why the images of some sources, whose places are zero, could not be had: errors of `loadImage`. */
  failures: { position: number; error: ErrorValue }[];
}

/** Makes a batch. */
export async function makeImages(request: BatchRequest): Promise<MadeImages> {
  const { sources, batch, cache, size, preprocessing, see } = request;
  const values = size * size * 3;
  const images = new Float32Array(batch * values);
  const normalization = normalizationOf(preprocessing);
  const resize = resizeOf(preprocessing);
  const train = 'views' in see ? null : trainingLook(see, size, preprocessing);
  const failures: MadeImages['failures'] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < sources.length) {
      const position = next++;
      let stored: StoredImage;
      try {
        stored = await loadImage(sources[position], cache, sources[position].keep);
      } catch (error) {
        failures.push({ position, error: toErrorValue(error) });
        continue;
      }
      const image = resize.shape?.(stored, preprocessing) ?? stored;
      const out = images.subarray(position * values, (position + 1) * values);
      if ('views' in see) {
        const resized = resize.evaluated(image, size, preprocessing);
        resample(image, viewCrop(image, size, resized, see.views[position]), normalization, out);
      } else train!(image, position, out);
    }
  };
  await Promise.all(Array.from({ length: decodedAtOnce }, worker));
  return { images, failures };
}
