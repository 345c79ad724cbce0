import type { FoundImage } from './formats/format.ts';
import { shuffledGroups, takeWhole } from './split.ts';

/** Share of each class that becomes the test split where the dataset gives none. */
export const testFraction = 0.2;

/**
 * Given splits stay, but a validation split alone is the test split; what has none is for training. Returns which split was the one
 * to test by: null where there is neither.
 */
export function settleSplits(samples: readonly Pick<FoundImage, 'split'>[]): 'test' | 'val' | null {
  for (const sample of samples) sample.split ??= 'train';
  const given = (['test', 'val'] as const).find((split) => samples.some((sample) => sample.split === split));
  if (given === 'val') for (const sample of samples) if (sample.split === 'val') sample.split = 'test';
  return given ?? null;
}

/** Draws a test split class by class; what shares a key stays together. */
export function drawTestSplit<S extends Pick<FoundImage, 'className' | 'split'>>(
  samples: readonly S[],
  keyOf: (sample: S) => string,
  seed: number,
): void {
  for (const [className, members] of Map.groupBy(samples, (sample) => sample.className)) {
    const groups = shuffledGroups(members, keyOf, `test ${seed} ${className}`);
    for (const sample of takeWhole(groups, Math.round(members.length * testFraction))) sample.split = 'test';
  }
}
