import type { z } from 'zod';
import type { Preprocessing } from '../../src-shared/domain.ts';
import type { Described } from '../transfer/part.ts';
import type { Extents, Size } from './crops.ts';
import type { StoredImage } from './image-cache.ts';

/** How a picture of any shape becomes the square that a network sees, in training and in evaluation alike. */
export interface Resize extends Described<z.ZodObject> {
  /** The picture to take crops from, in place of the stored one. */
  shape?(image: StoredImage, preprocessing: Preprocessing): StoredImage;
  /** The extents on which a training crop is drawn, for an input of `size`; the picture is cut in proportion. */
  drawn(image: Extents, size: number, preprocessing: Preprocessing): Size;
  /** The extents that evaluation resizes a picture to, before it takes size × size of them. */
  evaluated(image: Extents, size: number, preprocessing: Preprocessing): Size;
  /** What evaluation does, for whoever feeds the network elsewhere: in words, and as Python over a Pillow `image`. */
  contract(preprocessing: Preprocessing): { words: string; python: string[] };
}
