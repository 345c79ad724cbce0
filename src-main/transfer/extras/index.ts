import type { Term } from '../term.ts';
import { labelSmoothing } from './label-smoothing.ts';

/** What any method can have besides, in the order in which it is listed. */
export const extras: readonly Term[] = [labelSmoothing];
