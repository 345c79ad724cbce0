export type SeriesPoints = readonly { step: number; value: number }[];

/**
 * Exponential moving average, corrected for its start: weight 0.5 lies in the newest `halfLife` points.
 * Values that are no numbers break nothing: they are passed over.
 */
export function smooth(points: SeriesPoints, halfLife: number): { step: number; value: number }[] {
  const keep = 0.5 ** (1 / halfLife);
  let sum = 0;
  let weight = 0;
  return points.map(({ step, value }) => {
    if (Number.isFinite(value)) {
      sum = keep * sum + (1 - keep) * value;
      weight = keep * weight + (1 - keep);
    }
    return { step, value: weight > 0 ? sum / weight : value };
  });
}
