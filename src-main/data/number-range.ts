import { z } from 'zod';

/** An option of two numbers, the smaller one first. */
export const numberRange = (low: number, high: number) =>
  z
    .tuple([z.number().min(low).max(high), z.number().min(low).max(high)])
    .refine(([from, to]) => from <= to, 'the smaller number comes first');
