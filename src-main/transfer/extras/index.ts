import type { Term } from '../term.ts';
import { frozenStatistics } from './frozen-statistics.ts';
import { labelSmoothing } from './label-smoothing.ts';
import { mixup } from './mixup.ts';

/** What any method can have besides, in the order in which it is listed. */
export const extras: readonly Term[] = [labelSmoothing, mixup, frozenStatistics];
