import type { z } from 'zod';
import type { Described } from '../transfer/part.ts';
import type { Region } from './crops.ts';
import type { Random } from './random.ts';

/** What training sees of a picture. */
export interface TrainingCropOf<Schema extends z.ZodObject> extends Described<Schema> {
  /** Draws the part of a picture that becomes the input; without it, that is what evaluation sees. */
  draw?(width: number, height: number, random: Random, options: z.output<Schema>): Region;
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds crops of all kinds of options.
export type TrainingCrop = TrainingCropOf<any>;

export const trainingCrop = <Schema extends z.ZodObject>(definition: TrainingCropOf<Schema>): TrainingCrop =>
  definition;
