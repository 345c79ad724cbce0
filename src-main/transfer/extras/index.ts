import type { Term } from '../term.ts';
import { classWeights } from './class-weights.ts';
import { frozenStatistics } from './frozen-statistics.ts';
import { gradientClipping } from './gradient-clipping.ts';
import { labelSmoothing } from './label-smoothing.ts';
import { layerDecay } from './layer-decay.ts';
import { mixup } from './mixup.ts';

/** What any method can have besides, in the order in which it is listed. */
export const extras: readonly Term[] = [
  labelSmoothing,
  classWeights,
  mixup,
  frozenStatistics,
  gradientClipping,
  layerDecay,
];
