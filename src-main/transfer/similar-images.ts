import type { Matrix } from '../../src-shared/matrix.ts';
import { openFixedMatrix } from '../engine/fixed-matrix.ts';

/** Rows that are multiplied with all others at once. */
const rowsAtOnce = 256;

/**
 * Cosines of features [images, columns], whose rows have length 1: `hear` gets those of one image with all images, itself included,
 * for every image in turn, in memory that is used again.
 */
export async function cosinesOf(
  features: Matrix,
  hear: (image: number, cosines: Float32Array) => void,
): Promise<void> {
  const { data, rows, columns } = features;
  const count = Math.min(rowsAtOnce, rows);
  const x = openFixedMatrix(features, count);
  const block = new Float32Array(count * columns);
  const cosines = new Float32Array(count * rows);
  try {
    for (let first = 0; first < rows; first += count) {
      const last = Math.min(rows, first + count);
      block.set(data.subarray(first * columns, last * columns));
      await x.timesTransposed(block, cosines);
      for (let row = first; row < last; row++)
        hear(row, cosines.subarray((row - first) * rows, (row - first + 1) * rows));
    }
  } finally {
    await x.dispose();
  }
}
