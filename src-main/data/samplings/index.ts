import type { Sampling } from '../sampling.ts';
import { classBalanced } from './class-balanced.ts';
import { shuffled } from './shuffled.ts';

/** Which pictures a batch is made of; the first is the default. */
export const samplings: readonly Sampling[] = [shuffled, classBalanced];
