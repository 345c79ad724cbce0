import type { Matrix } from '../../src-shared/matrix.ts';

/** softmax(scale · logits), row by row, in float64. */
export function softmaxRows({ data, rows, columns }: Matrix, scale: number): Matrix & { data: Float64Array } {
  const out = new Float64Array(data.length);
  for (let start = 0; start < data.length; start += columns) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let j = start; j < start + columns; j++) largest = Math.max(largest, scale * data[j]);
    let sum = 0;
    for (let j = start; j < start + columns; j++) {
      out[j] = Math.exp(scale * data[j] - largest);
      sum += out[j];
    }
    for (let j = start; j < start + columns; j++) out[j] /= sum;
  }
  return { data: out, rows, columns };
}
