/** A dense matrix, row-major: element (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  data: Float64Array | Float32Array;
  rows: number;
  columns: number;
}
