import type { Evaluation } from '../evaluation.ts';
import { centerCrop } from './center-crop.ts';
import { tenCrop } from './ten-crop.ts';

/** What of each picture is tested; the first is the default. */
export const evaluations: readonly Evaluation[] = [centerCrop, tenCrop];
