/** Symmetric matrices in float64, row-major: what the scores over features need of linear algebra. */
import type { Matrix } from '../../../src-shared/matrix.ts';

/** Xᵀ X [columns, columns] of X [rows, columns]. */
export const gram = (X: Matrix): Float64Array => rowGram(transposed(X));

/** X Xᵀ [rows, rows] of X [rows, columns]; rows are taken four at a time, since every other one is read for each of them. */
export function rowGram({ data, rows, columns }: Matrix): Float64Array {
  const out = new Float64Array(rows * rows);
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += data[a * columns + k] * data[b * columns + k];
    return sum;
  };
  const set = (a: number, b: number, value: number) => {
    out[a * rows + b] = value;
    out[b * rows + a] = value;
  };
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    const [r0, r1, r2, r3] = [i, i + 1, i + 2, i + 3].map((row) => row * columns);
    for (let j = 0; j < i; j++) {
      const other = j * columns;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let k = 0; k < columns; k++) {
        const value = data[other + k];
        s0 += data[r0 + k] * value;
        s1 += data[r1 + k] * value;
        s2 += data[r2 + k] * value;
        s3 += data[r3 + k] * value;
      }
      set(i, j, s0);
      set(i + 1, j, s1);
      set(i + 2, j, s2);
      set(i + 3, j, s3);
    }
    for (let a = i; a < i + 4; a++) for (let b = i; b <= a; b++) set(a, b, dot(a, b));
  }
  for (; i < rows; i++) for (let j = 0; j <= i; j++) set(i, j, dot(i, j));
  return out;
}

function transposed({ data, rows, columns }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  return { data: out, rows: columns, columns: rows };
}

/** log det A of a positive definite A [n, n], by Cholesky's factors. */
export function logDeterminant(matrix: Float64Array, n: number): number {
  const L = Float64Array.from(matrix);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let value = L[i * n + j];
      for (let k = 0; k < j; k++) value -= L[i * n + k] * L[j * n + k];
      if (i === j) {
        sum += Math.log(value);
        L[i * n + i] = Math.sqrt(value);
      } else L[i * n + j] = value / L[j * n + j];
    }
  }
  return sum;
}

/**
 * Eigenvalues (growing) of a symmetric A [n, n] and, for each row b of B [m, n], the squares (q · b)² by eigenvector q:
 * [m, n]. Householder's tridiagonal form, then implicit QL steps (Golub and Van Loan 2013, sections 8.3.1 and 8.3.3), whose
 * rotations act on B; eigenvectors are never formed.
 */
export function spectrum(matrix: Float64Array, n: number, B: Float64Array[]) {
  const A = Float64Array.from(matrix);
  const rows = B.map((row) => Float64Array.from(row));
  const diagonal = new Float64Array(n);
  const off = new Float64Array(n);
  let [v, w, last, lastW] = Array.from({ length: 4 }, () => new Float64Array(n));
  // A ← A − v wᵀ − w vᵀ of one step is made while the next one reads the rows: they are what takes the time.
  const settle = (i: number, from: number) => {
    const [a, b] = [last[i], lastW[i]];
    for (let j = from; j < n; j++) A[i * n + j] -= a * lastW[j] + b * last[j];
  };
  for (let k = 0; k < n - 2; k++) {
    settle(k, k);
    let norm = 0;
    for (let j = k + 1; j < n; j++) norm += A[k * n + j] ** 2;
    norm = Math.sqrt(norm);
    const alpha = A[k * n + k + 1] > 0 ? -norm : norm;
    off[k] = alpha;
    diagonal[k] = A[k * n + k];
    let square = 0;
    for (let j = k + 1; j < n; j++) {
      v[j] = A[k * n + j] - (j === k + 1 ? alpha : 0);
      square += v[j] ** 2;
    }
    const beta = square > 0 ? 2 / square : 0;
    let dot = 0;
    for (let i = k + 1; i < n; i++) {
      const [a, b, row] = [last[i], lastW[i], i * n];
      let sum = 0;
      for (let j = k + 1; j < n; j++) {
        const value = A[row + j] - a * lastW[j] - b * last[j];
        A[row + j] = value;
        sum += value * v[j];
      }
      w[i] = beta * sum;
      dot += w[i] * v[i];
    }
    const half = (beta * dot) / 2;
    for (let j = k + 1; j < n; j++) w[j] -= half * v[j];
    for (const row of rows) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += row[j] * v[j];
      for (let j = k + 1; j < n; j++) row[j] -= beta * sum * v[j];
    }
    [v, w, last, lastW] = [last, lastW, v, w];
  }
  for (let k = Math.max(0, n - 2); k < n; k++) {
    settle(k, Math.max(0, n - 2));
    diagonal[k] = A[k * n + k];
  }
  if (n > 1) off[n - 2] = A[(n - 2) * n + n - 1];
  qlSteps(diagonal, off, rows);
  const order = [...diagonal.keys()].sort((a, b) => diagonal[a] - diagonal[b]);
  return {
    values: Float64Array.from(order, (at) => diagonal[at]),
    squares: rows.map((row) => Float64Array.from(order, (at) => row[at] ** 2)),
  };
}

/** Diagonalizes a tridiagonal matrix in place, its rotations acting on the rows. */
function qlSteps(d: Float64Array, e: Float64Array, rows: Float64Array[]): void {
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (let round = 0; round < 60; round++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? Math.hypot(g, 1) : -Math.hypot(g, 1)));
      let [s, c, shift] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const [f, b] = [s * e[i], c * e[i]];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= shift;
          e[m] = 0;
          break;
        }
        [s, c] = [f / r, g / r];
        g = d[i + 1] - shift;
        const turned = (d[i] - g) * s + 2 * c * b;
        shift = s * turned;
        d[i + 1] = g + shift;
        g = c * turned - b;
        for (const row of rows) {
          const [low, high] = [row[i], row[i + 1]];
          row[i + 1] = s * low + c * high;
          row[i] = c * low - s * high;
        }
      }
      if (i >= l) continue;
      d[l] -= shift;
      e[l] = g;
      e[m] = 0;
    }
  }
}
