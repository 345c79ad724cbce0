import type { SeriesPoints } from './smooth.ts';

interface Aligned {
  steps: number[];
  /** One array per series, as long as `steps`; undefined where a series has no value at that step. */
  values: (number | undefined)[][];
  /** Points per series. */
  counts: number[];
}

/** Puts series of points on one ascending axis of steps, as uPlot wants them. */
export function alignSeries(series: readonly { points: SeriesPoints }[]): Aligned {
  const steps = [...new Set(series.flatMap(({ points }) => points.map((point) => point.step)))].sort(
    (a, b) => a - b,
  );
  const place = new Map(steps.map((step, index) => [step, index]));
  const values = series.map(({ points }) => {
    const column = new Array<number | undefined>(steps.length).fill(undefined);
    for (const { step, value } of points) column[place.get(step)!] = value;
    return column;
  });
  return { steps, values, counts: series.map(({ points }) => points.length) };
}
