import type { Part, Preprocessing } from '../../src-shared/domain.ts';
import { chosenFrom } from '../transfer/part.ts';
import { augmentations } from './augmentations/index.ts';
import { normalizationOf, regionCrop, viewCrop } from './crops.ts';
import { centerCrop } from './evaluations/center-crop.ts';
import type { RgbImage } from './image.ts';
import type { StoredImage } from './image-cache.ts';
import { randomOf } from './random.ts';
import { type Normalization, resample } from './resample.ts';
import { resizeOf } from './resizes/index.ts';
import { trainingCrops } from './training-crops/index.ts';

/** What decides how training sees the pictures of one batch. */
export interface TrainingLook {
  seed: number;
  step: number;
  /** Whether it is the second view of the pictures, which draws from streams of its own. */
  second?: boolean;
  crop: Part;
  augment: readonly Part[];
}

/** Whether training sees a picture the same way every time: as evaluation does. */
export const isSteady = ({ crop, augment }: Pick<TrainingLook, 'crop' | 'augment'>): boolean =>
  augment.length === 0 && !chosenFrom(trainingCrops, crop).part.draw;

/** Writes the input [size, size, 3], normalized, that the picture at a position of the batch becomes. */
type Look = (image: StoredImage, position: number, out: Float32Array) => void;

const asBytes: Normalization = { scale: [1, 1, 1], shift: [0, 0, 0] };

/** How training sees pictures: cut, resized, changed at random, by (seed, step, position). */
export function trainingLook(
  { seed, step, second, crop, augment }: TrainingLook,
  size: number,
  preprocessing: Preprocessing,
): Look {
  const resize = resizeOf(preprocessing);
  const { part: cropping, options } = chosenFrom(trainingCrops, crop);
  const changes = augment.map((part) => chosenFrom(augmentations, part));
  const ofPixels = changes.filter(({ part }) => part.pixels);
  const ofInput = changes.filter(({ part }) => part.input);
  const normalization = normalizationOf(preprocessing);
  const picture: RgbImage = { width: size, height: size, data: new Uint8Array(size * size * 3) };

  const draws = (purpose: string, position: number) =>
    randomOf(seed, second ? `second ${purpose}` : purpose, step, position);

  const cropOf = (image: StoredImage, position: number) => {
    if (!cropping.draw)
      return viewCrop(image, size, resize.evaluated(image, size, preprocessing), centerCrop.views[0]);
    const drawn = resize.drawn(image, size, preprocessing);
    const region = cropping.draw(...drawn, draws('crop', position), options);
    return regionCrop(image, size, region, drawn);
  };

  return (image, position, out) => {
    const part = cropOf(image, position);
    // Without changes of pixels nothing is rounded to bytes.
    if (ofPixels.length === 0) resample(image, part, normalization, out);
    else {
      resample(image, part, asBytes, out);
      for (let i = 0; i < out.length; i++) picture.data[i] = Math.round(out[i]);
      for (const { part: change, options: own } of ofPixels)
        change.pixels!(picture, draws(change.name, position), own);
      normalize(picture.data, normalization, out);
    }
    for (const { part: change, options: own } of ofInput)
      change.input!(out, size, draws(change.name, position), own);
  };
}

function normalize(bytes: Uint8Array, { scale, shift }: Normalization, out: Float32Array): void {
  for (let i = 0; i < out.length; i += 3)
    for (let c = 0; c < 3; c++) out[i + c] = bytes[i + c] * scale[c] + shift[c];
}
