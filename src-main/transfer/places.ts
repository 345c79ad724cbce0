import type { Arrays, Specs } from '../engine/engine.ts';

/**
 * Inputs that name `count` of a batch's pieces: where they are (their numbers in the batch, row after row), a label for each, and
 * what it counts. Places that are not needed count 0.
 */
export const placesSpecs = (name: string, count: number): Specs => ({
  [`${name}_places`]: { shape: [count], dtype: 'int32' },
  [`${name}_labels`]: { shape: [count], dtype: 'int32' },
  [`${name}_counts`]: { shape: [count, 1], dtype: 'float32' },
});

/** Values for `placesSpecs`: what is there counts alike, so that the loss is its mean; 0 where nothing is. */
export function placesValues(
  name: string,
  count: number,
  places: readonly number[],
  labels: readonly number[],
): Arrays {
  const filled = (values: readonly number[]) =>
    Int32Array.from({ length: count }, (_, index) => values[index] ?? 0);
  return {
    [`${name}_places`]: filled(places),
    [`${name}_labels`]: filled(labels),
    // The cross-entropy is a mean over all places, those without a label among them.
    [`${name}_counts`]: Float32Array.from({ length: count }, (_, index) =>
      index < places.length ? count / places.length : 0,
    ),
  };
}
