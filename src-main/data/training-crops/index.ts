import type { TrainingCrop } from '../training-crop.ts';
import { fixedCrop } from './fixed-crop.ts';
import { randomCrop } from './random-crop.ts';

/** What training sees of a picture; the first is the default. */
export const trainingCrops: readonly TrainingCrop[] = [randomCrop, fixedCrop];
