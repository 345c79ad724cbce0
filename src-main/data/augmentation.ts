import type { z } from 'zod';
import type { Described } from '../transfer/part.ts';
import type { RgbImage } from './image.ts';
import type { Random } from './random.ts';

/** A random change of a training picture, after it was cut and resized; what it draws follows from (seed, step, place in the batch). */
export interface AugmentationOf<Schema extends z.ZodObject> extends Described<Schema> {
  /** Changes the picture, RGB bytes size × size, in place. */
  pixels?(picture: RgbImage, random: Random, options: z.output<Schema>): void;
  /** Changes the network's input, normalized [size, size, 3], in place. */
  input?(values: Float32Array, size: number, random: Random, options: z.output<Schema>): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds augmentations of all kinds of options.
export type Augmentation = AugmentationOf<any>;

export const augmentation = <Schema extends z.ZodObject>(definition: AugmentationOf<Schema>): Augmentation =>
  definition;
