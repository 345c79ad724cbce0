import type { z } from 'zod';
import type { Described } from '../transfer/part.ts';

/** One crop of a resized picture: its place across and down as shares of the free way (0: at the edge, 0.5: in the middle). */
export interface View {
  across: number;
  down: number;
  mirrored: boolean;
}

/** What of each picture a trained network is tested on: a picture's logits are the mean over its views. */
export interface Evaluation extends Described<z.ZodObject> {
  views: readonly View[];
}
