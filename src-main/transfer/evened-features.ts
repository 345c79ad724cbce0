import type { Matrix } from '../../src-shared/matrix.ts';

/**
 * Features with the root of their size and rows of length 1: a few strong ones then do not drown the many weak ones, and bright
 * pictures do not count more (power normalization: Perronnin, Sánchez, Mensink, ECCV 2010, section 3).
 */
export function evened({ data, rows, columns }: Matrix): Matrix & { data: Float32Array } {
  const even = Float32Array.from(data, (value) => Math.sign(value) * Math.sqrt(Math.abs(value)));
  for (let row = 0; row < rows; row++) {
    const values = even.subarray(row * columns, (row + 1) * columns);
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let j = 0; j < columns; j++) values[j] /= length;
  }
  return { data: even, rows, columns };
}
