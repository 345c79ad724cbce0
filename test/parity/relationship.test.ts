import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readNpyLabels, readNpyMatrix } from '../../src-main/formats/npy.ts';
import { learnRelationship } from '../../src-main/transfer/relationship.ts';
import { fitScale, fitTemperature } from '../../src-main/transfer/temperature.ts';
import { sharedPath } from '../shared-folder.ts';

const folder = sharedPath('reference/relationship');
const skipped = folder ? '' : ' (skipped: ../shared/reference/relationship is not here)';

/** ImageNet logits of 10 monkey species, solved tightly elsewhere. */
async function reference() {
  const input = {
    trainLogits: await readNpyMatrix(`${folder}/train_logits.npy`),
    trainLabels: await readNpyLabels(`${folder}/train_labels.npy`),
    valLogits: await readNpyMatrix(`${folder}/val_logits.npy`),
    valLabels: await readNpyLabels(`${folder}/val_labels.npy`),
    targets: 10,
  };
  return { input, expected: JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) };
}

function largestDifference(got: Float64Array, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  return got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i])), 0);
}

describe.skipIf(!folder)(`the reference relationship of 10 monkey species${skipped}`, () => {
  test.each([
    ['s0.884', 0.8840456604957581],
    ['s1', 1],
  ])('reverse approach, %s: grid, choice, scale and matrix', async (tag, sourceScale) => {
    const { input, expected } = await reference();
    const want = expected.reverse[tag];
    const got = await learnRelationship({ ...input, approach: 'reverse', sourceScale });
    expect(got.C).toBe(want.chosen_C);
    expect(got.valAccuracy).toBeCloseTo(want.chosen_val_accuracy, 8);
    // The scale follows the weights, which are certain to 3e-6 of their norm.
    expect(Math.abs(got.scale! / want.calibration.scale - 1)).toBeLessThan(1e-6);
    const matrix = await readNpyMatrix(`${folder}/expected/reverse_${tag}.npy`);
    expect(largestDifference(got.matrix, matrix.data)).toBeLessThan(1e-6);
    expect(got.grid.map(({ C }) => C)).toEqual(want.grid.map(({ C }: { C: number }) => C));
    const bestCorrect = Math.max(...want.grid.map((one: { val_correct: number }) => one.val_correct));
    for (const [i, point] of got.grid.entries()) {
      // The path's own guarantee is 1e-4.
      expect(point.objective / want.grid[i].objective - 1).toBeLessThan(1e-4);
      // Exact wherever it could decide the choice; elsewhere as certain as the path is.
      const { val_correct } = want.grid[i];
      const samples = val_correct >= bestCorrect - 3 ? 0 : 3;
      const correct = Math.round(point.val_accuracy * input.valLabels.length);
      expect(Math.abs(correct - val_correct)).toBeLessThanOrEqual(samples);
    }
    expect(got.notes).toEqual([]);
  });

  test.each([
    ['s0.884', 0.8840456604957581],
    ['s1', 1],
  ])('direct approach, %s', async (tag, sourceScale) => {
    const { input } = await reference();
    const got = await learnRelationship({ ...input, approach: 'direct', sourceScale });
    const matrix = await readNpyMatrix(`${folder}/expected/direct_${tag}.npy`);
    expect(largestDifference(got.matrix, matrix.data)).toBeLessThan(1e-10);
    expect(got).toMatchObject({ C: null, scale: null, valAccuracy: null, grid: [] });
  });

  test('the fitted temperature of three classifiers', async () => {
    const { input, expected } = await reference();
    for (const [name, file, labels] of [
      ['probe', 'probe_logits', input.trainLabels],
      ['source_probabilities_s0.884', 'val_target_logits_s0.884', input.valLabels],
      ['source_probabilities_s1', 'val_target_logits_s1', input.valLabels],
    ] as const) {
      const logits = await readNpyMatrix(`${folder}/expected/${file}.npy`);
      // The expected figures carry 9 digits.
      expect(fitScale(logits, labels) / expected.temperature[name].scale - 1).toBeCloseTo(0, 8);
      expect(fitTemperature(logits, labels) / expected.temperature[name].temperature - 1).toBeCloseTo(0, 8);
    }
  });
});
