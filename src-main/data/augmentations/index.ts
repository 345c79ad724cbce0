import type { Augmentation } from '../augmentation.ts';
import { randomErasing } from './random-erasing.ts';

/** What can be changed at random in training pictures, in the order in which it is done. */
export const augmentations: readonly Augmentation[] = [randomErasing];
