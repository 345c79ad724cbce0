import { randomOf } from '../data/random.ts';

/** Rows from which directions are found, and rounds in which they are. */
const rowsUsed = 4000;
const rounds = 6;
/** Directions carried along beside those that are wanted, so that the last of these come out too. */
const spare = 8;

/**
 * Rows on their first principal components, largest first, row-major [rows, components]: by subspace iteration over the centered rows,
 * or evenly chosen 4,000 of them. Halko, Martinsson, Tropp, «Finding structure with randomness», SIAM Review 2011, algorithm 4.4.
 * `data` is row-major [rows, columns].
 */
export function principalComponents(
  data: Float32Array,
  columns: number,
  wanted: number,
): { components: number; values: Float32Array } {
  const rows = data.length / columns;
  const components = Math.min(wanted, columns, rows);
  const width = Math.min(components + spare, columns);
  const mean = new Float64Array(columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) mean[j] += data[i * columns + j] / rows;
  const step = Math.max(1, rows / rowsUsed);
  const used = Array.from({ length: Math.min(rows, rowsUsed) }, (_, i) => Math.floor(i * step));
  const random = randomOf(0, 'principal components');
  let basis = orthonormal(
    Array.from({ length: width }, () => Float64Array.from({ length: columns }, () => random() - 0.5)),
  );
  for (let round = 0; round < rounds; round++) {
    const next = basis.map(() => new Float64Array(columns));
    const row = new Float64Array(columns);
    for (const i of used) {
      for (let j = 0; j < columns; j++) row[j] = data[i * columns + j] - mean[j];
      for (const [b, direction] of basis.entries()) {
        let along = 0;
        for (let j = 0; j < columns; j++) along += row[j] * direction[j];
        const sum = next[b];
        for (let j = 0; j < columns; j++) sum[j] += along * row[j];
      }
    }
    // Made orthogonal in their order, they come to be the components in order of size.
    basis = orthonormal(next);
  }
  const kept = basis.slice(0, components);
  const values = new Float32Array(rows * components);
  const row = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) row[j] = data[i * columns + j] - mean[j];
    for (const [b, direction] of kept.entries()) {
      let along = 0;
      for (let j = 0; j < columns; j++) along += row[j] * direction[j];
      values[i * components + b] = along;
    }
  }
  return { components, values };
}

/** Gram-Schmidt, twice, so that rounding leaves them at right angles; what vanishes becomes zero. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const next = vector.slice();
    const before = Math.sqrt(dot(next, next));
    for (let pass = 0; pass < 2; pass++)
      for (const other of basis) {
        const along = dot(next, other);
        for (let j = 0; j < next.length; j++) next[j] -= along * other[j];
      }
    const length = Math.sqrt(dot(next, next));
    basis.push(next.map((value) => (length > 1e-12 * before ? value / length : 0)));
  }
  return basis;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}
