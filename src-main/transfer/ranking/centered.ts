import type { Matrix } from '../../../src-shared/matrix.ts';
import type { Evidence } from './score.ts';

/** X without the mean of its rows. */
export function centered({ data, rows, columns }: Matrix): Matrix & { data: Float64Array } {
  const mean = new Float64Array(columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) mean[j] += data[i * columns + j] / rows;
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[i * columns + j] = data[i * columns + j] - mean[j];
  return { data: out, rows, columns };
}

/** Sums of the rows of X by label, [targets][columns], and how many each has. */
export function classSums(
  { data, columns }: Matrix,
  { labels, targets }: Pick<Evidence, 'labels' | 'targets'>,
) {
  const sums = Array.from({ length: targets }, () => new Float64Array(columns));
  const counts = new Float64Array(targets);
  for (let i = 0; i < labels.length; i++) {
    counts[labels[i]]++;
    for (let j = 0; j < columns; j++) sums[labels[i]][j] += data[i * columns + j];
  }
  return { sums, counts };
}
