import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { holm } from '../../src-shared/multiple-tests.ts';
import { tPoint, tTail } from '../../src-shared/student-t.ts';

test('points of the t distribution are those of the tables', () => {
  // Two-sided 5 % and 0.1 % points (Abramowitz and Stegun 1964, table 26.10), the last line the normal distribution's.
  for (const [df, fivePercent, perMille] of [
    [1, 12.706, 636.619],
    [2, 4.303, 31.599],
    [4, 2.776, 8.61],
    [10, 2.228, 4.587],
    [30, 2.042, 3.646],
    [1e9, 1.96, 3.291],
  ]) {
    expect(Math.abs(tPoint(0.05, df) - fivePercent)).toBeLessThan(6e-4);
    expect(Math.abs(tPoint(0.001, df) - perMille)).toBeLessThan(1e-3);
  }
});

test('tail and point are inverse, far into the tail', () => {
  for (const df of [1, 2, 5, 99, 1999])
    for (const p of [0.999, 0.5, 0.05, 1e-6, 1e-12])
      expect(Math.abs(tTail(tPoint(p, df), df) / p - 1)).toBeLessThan(1e-8);
  // P(|T| ≥ t) of one degree of freedom is 1 − 2/π arctan t.
  expect(tTail(3, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(3), 13);
  expect([tPoint(1, 3), tTail(0, 3)]).toEqual([0, 1]);
});

const families: Record<string, { p: number[]; holm: number[]; rejected: boolean[] }> = JSON.parse(
  readFileSync(new URL('../fixtures/holm.json', import.meta.url), 'utf8'),
);

test.each(Object.entries(families))(
  "Holm's adjusted p-values of the family %s are the reference's",
  (_, family) => {
    const adjusted = holm(family.p);
    adjusted.forEach((p, i) => {
      expect(Math.abs(p - family.holm[i])).toBeLessThan(1e-12);
    });
    expect(adjusted.map((p) => p <= 0.05)).toEqual(family.rejected.map(Boolean));
  },
);
