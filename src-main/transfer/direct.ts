/** p(y_s | y_t = k) as the mean source probability over the images of class k. */

/**
 * The direct approach (You et al., NeurIPS 2020, section 4.1): [targets, sources], each row the mean of `probabilities`
 * [images, sources] over the images with that label. Rows of classes without an image are null.
 */
export function classMeans(
  probabilities: Float64Array,
  labels: ArrayLike<number>,
  targets: number,
): (Float64Array | null)[] {
  const sources = probabilities.length / labels.length;
  const rows: (Float64Array | null)[] = new Array(targets).fill(null);
  const counts = new Float64Array(targets);
  for (let i = 0; i < labels.length; i++) {
    rows[labels[i]] ??= new Float64Array(sources);
    counts[labels[i]]++;
    const row = rows[labels[i]]!;
    for (let s = 0; s < sources; s++) row[s] += probabilities[i * sources + s];
  }
  return rows.map((row, k) => (row ? row.map((sum) => sum / counts[k]) : null));
}
