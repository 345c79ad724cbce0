import type { Term } from '../term.ts';
import { classWeights } from './class-weights.ts';
import { cutmix } from './cutmix.ts';
import { dropout } from './dropout.ts';
import { earlyStopping } from './early-stopping.ts';
import { frozenBlocks } from './frozen-blocks.ts';
import { frozenStatistics } from './frozen-statistics.ts';
import { gradientClipping } from './gradient-clipping.ts';
import { labelSmoothing } from './label-smoothing.ts';
import { layerDecay } from './layer-decay.ts';
import { mixup } from './mixup.ts';
import { movingAverage } from './moving-average.ts';
import { stochasticDepth } from './stochastic-depth.ts';

/** What any method can have besides, in the order in which it is listed. */
export const extras: readonly Term[] = [
  labelSmoothing,
  classWeights,
  mixup,
  frozenBlocks,
  cutmix,
  frozenStatistics,
  gradientClipping,
  layerDecay,
  dropout,
  stochasticDepth,
  movingAverage,
  earlyStopping,
];
