export interface Neighbors {
  /** [rows, count], the nearest first, without the point itself. */
  points: Int32Array;
  /** Euclidean, likewise. */
  distances: Float32Array;
  count: number;
}

/** Components whose differences are added before it is asked whether the sum is too large already. */
const atOnce = 6;

/**
 * The nearest neighbors of every point, exactly. `values` are principal components, row-major [rows, components], the largest first: most
 * other points are known to be farther by the first of them, and most of the rest by a few more. There are more rows than `count`.
 */
export function nearestNeighbors(values: Float32Array, components: number, count: number): Neighbors {
  const rows = values.length / components;
  const order = Int32Array.from({ length: rows }, (_, i) => i).sort(
    (a, b) => values[a * components] - values[b * components],
  );
  const sorted = new Float32Array(values.length);
  for (const [place, i] of order.entries())
    sorted.set(values.subarray(i * components, (i + 1) * components), place * components);

  const points = new Int32Array(rows * count);
  const distances = new Float32Array(rows * count);
  const best = new Float64Array(count);
  const found = new Int32Array(count);
  for (let at = 0; at < rows; at++) {
    best.fill(Number.POSITIVE_INFINITY);
    let below = at - 1;
    let above = at + 1;
    const gap = (other: number) =>
      other < 0 || other >= rows
        ? Number.POSITIVE_INFINITY
        : (sorted[other * components] - sorted[at * components]) ** 2;
    let gapBelow = gap(below);
    let gapAbove = gap(above);
    while (Math.min(gapBelow, gapAbove) < best[count - 1]) {
      const other = gapBelow < gapAbove ? below : above;
      const square = squaredDistance(sorted, components, at, other, best[count - 1]);
      if (square < best[count - 1]) insert(best, found, square, other);
      if (other === below) gapBelow = gap(--below);
      else gapAbove = gap(++above);
    }
    const row = order[at] * count;
    for (let k = 0; k < count; k++) {
      points[row + k] = order[found[k]];
      distances[row + k] = Math.sqrt(best[k]);
    }
  }
  return { points, distances, count };
}

/** ‖a − b‖², or something that is no less than `most`. */
function squaredDistance(
  values: Float32Array,
  components: number,
  a: number,
  b: number,
  most: number,
): number {
  let sum = 0;
  let [i, j] = [a * components, b * components];
  const end = i + components;
  while (i < end && sum < most)
    for (const stop = Math.min(end, i + atOnce); i < stop; i++, j++) sum += (values[i] - values[j]) ** 2;
  return sum;
}

/** Puts a value into its place in a rising list, from which the largest drops out. */
function insert(best: Float64Array, found: Int32Array, value: number, point: number): void {
  let k = best.length - 1;
  for (; k > 0 && best[k - 1] > value; k--) {
    best[k] = best[k - 1];
    found[k] = found[k - 1];
  }
  best[k] = value;
  found[k] = point;
}
