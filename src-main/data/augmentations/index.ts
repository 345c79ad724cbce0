import type { Augmentation } from '../augmentation.ts';
import { colorJitter } from './color-jitter.ts';
import { randomErasing } from './random-erasing.ts';
import { trivialAugment } from './trivial-augment.ts';

/** What can be changed at random in training pictures, in the order in which it is done. */
export const augmentations: readonly Augmentation[] = [colorJitter, trivialAugment, randomErasing];
