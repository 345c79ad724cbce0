export type SeriesPoints = readonly { step: number; value: number }[];

/** One pass of an exponential moving average, corrected for its start. */
function pass(points: SeriesPoints, keep: number): number[] {
  let sum = 0;
  let weight = 0;
  return points.map(({ value }) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/**
 * Smooths a curve without shifting it: the mean of an exponential moving average forward and one backward, each
 * halving a value's weight every `halfLife` points. Points whose value is no number are left out.
 */
export function smooth(points: SeriesPoints, halfLife: number): { step: number; value: number }[] {
  const keep = 0.5 ** (1 / halfLife);
  const finite = points.filter(({ value }) => Number.isFinite(value));
  const forward = pass(finite, keep);
  const backward = pass(finite.toReversed(), keep).reverse();
  return finite.map(({ step }, index) => ({ step, value: (forward[index] + backward[index]) / 2 }));
}
