import type { Matrix } from '../../../src-shared/matrix.ts';
import { classSums } from './centered.ts';
import type { Evidence } from './score.ts';
import { gram, rowGram, spectrum } from './symmetric.ts';

export interface ClassSpectrum {
  /** Fᵀ F, or F Fᵀ where that is smaller: their traces and norms are the same. */
  scatter: Float64Array;
  /** Side of it. */
  side: number;
  /** Eigenvalues of Fᵀ F, growing. */
  values: Float64Array;
  /** By class, the squares (q · Σ F_i)² of its rows' sum by eigenvector q. */
  squares: Float64Array[];
  /** Rows of each class. */
  counts: Float64Array;
}

/**
 * The spectrum of Fᵀ F, F [n, D], and how the classes lie in it. Of n < D it comes from F Fᵀ, whose eigenvalues λ are the same
 * but for zeros: with its eigenvector u and a class's indicator t, the square is λ (u · t)².
 */
export function classSpectrum(F: Matrix, evidence: Pick<Evidence, 'labels' | 'targets'>): ClassSpectrum {
  const { sums, counts } = classSums(F, evidence);
  const [n, D] = [F.rows, F.columns];
  if (n >= D) {
    const scatter = gram(F);
    return { scatter, side: D, ...spectrum(scatter, D, sums), counts };
  }
  const scatter = rowGram(F);
  const indicators = sums.map((_, k) => Float64Array.from(evidence.labels, (label) => Number(label === k)));
  const { values, squares } = spectrum(scatter, n, indicators);
  const padded = (row: Float64Array) => {
    const out = new Float64Array(D);
    out.set(row, D - n);
    return out;
  };
  return {
    scatter,
    side: n,
    values: padded(values),
    squares: squares.map((row) => padded(row.map((square, j) => square * Math.max(0, values[j])))),
    counts,
  };
}
