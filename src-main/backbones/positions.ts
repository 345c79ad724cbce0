import * as tf from '@tensorflow/tfjs-core';

/**
 * Learned positions [1, 1 + grid², channels] for an image of other extents [1, 1 + rows · columns, channels]; the class
 * token's, in front, stays. Bicubic with antialiasing, as timm does it: a linear map, so that training goes through it and
 * weights keep their own size.
 */
export function resizedPositions(
  positions: tf.Tensor3D,
  grid: number,
  [rows, columns]: readonly [number, number],
): tf.Tensor3D {
  if (rows === grid && columns === grid) return positions;
  const channels = positions.shape[2];
  const first = tf.slice(positions, [0, 0, 0], [1, 1, channels]);
  const places = tf.reshape(tf.slice(positions, [0, 1, 0], [1, grid ** 2, channels]), [grid ** 2, channels]);
  const vertical = weightsOf(grid, rows);
  const horizontal = weightsOf(grid, columns);
  const map = vertical.flatMap((row) =>
    horizontal.map((column) => row.flatMap((y) => column.map((x) => y * x))),
  );
  const resized = tf.matMul(tf.tensor2d(map.flat(), [rows * columns, grid ** 2]), places as tf.Tensor2D);
  return tf.concat([first, tf.reshape(resized, [1, rows * columns, channels])], 1) as tf.Tensor3D;
}

/** Keys, «Cubic convolution interpolation», IEEE TASSP 1981, with a = −1/2. */
function cubic(x: number): number {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

/** For every new place along an axis: the shares of the old ones, as PyTorch's antialiased interpolation takes them. */
function weightsOf(from: number, to: number): number[][] {
  const ratio = from / to;
  const stretch = Math.max(1, ratio);
  const reach = 2 * stretch;
  return Array.from({ length: to }, (_, at) => {
    const center = ratio * (at + 0.5);
    const begin = Math.max(0, Math.floor(center - reach + 0.5));
    const end = Math.min(from, Math.floor(center + reach + 0.5));
    const row = Array.from({ length: from }, (_, old) =>
      old >= begin && old < end ? cubic((old - center + 0.5) / stretch) : 0,
    );
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((share) => share / total);
  });
}
