import type { Matrix } from '../../src-shared/matrix.ts';

/** p(y_s | y_t = k) as the mean source probability over the images of class k. */

/**
 * The direct approach (You et al., NeurIPS 2020, section 4.1): [targets, sources], each row the mean of `probabilities`
 * [images, sources] over the images of all parts with that label. Rows of classes without an image are null.
 */
export function classMeans(
  parts: readonly { probabilities: Matrix; labels: ArrayLike<number> }[],
  targets: number,
): (Float64Array | null)[] {
  const rows: (Float64Array | null)[] = new Array(targets).fill(null);
  const counts = new Float64Array(targets);
  for (const { probabilities, labels } of parts) {
    const { data, columns } = probabilities;
    for (let i = 0; i < labels.length; i++) {
      rows[labels[i]] ??= new Float64Array(columns);
      counts[labels[i]]++;
      const row = rows[labels[i]]!;
      for (let s = 0; s < columns; s++) row[s] += data[i * columns + s];
    }
  }
  return rows.map((row, k) => (row ? row.map((sum) => sum / counts[k]) : null));
}
