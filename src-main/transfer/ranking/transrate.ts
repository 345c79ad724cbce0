import type { Matrix } from '../../../src-shared/matrix.ts';
import { centered } from './centered.ts';
import type { RankingScore } from './score.ts';
import { gram, logDeterminant, rowGram } from './symmetric.ts';

const epsilon = 1e-4;

/** TransRate: R(Z) − mean_k R(Z_k), R(Z) = ½ log det(I + Zᵀ Z / (n ε)), Z centered, ε = 1e-4. */
export const transrate: RankingScore = {
  name: 'transrate',
  title: 'TransRate',
  help: 'how much more it takes to code all features than those of a class; nats',
  source:
    'Huang, Huang, Rong, Yang, Wei, «Frustratingly Easy Transferability Estimation», ICML 2022, equation 5',
  score({ features, labels, targets }) {
    const Z = centered(features);
    let sum = 0;
    let classes = 0;
    for (let k = 0; k < targets; k++) {
      const rows = [...labels.keys()].filter((i) => labels[i] === k);
      if (rows.length === 0) continue;
      classes++;
      const data = new Float64Array(rows.length * Z.columns);
      for (const [at, i] of rows.entries())
        data.set(Z.data.subarray(i * Z.columns, (i + 1) * Z.columns), at * Z.columns);
      sum += codingRate({ data, rows: rows.length, columns: Z.columns });
    }
    return codingRate(Z) - sum / classes;
  },
};

/** Zᵀ Z and Z Zᵀ have the same spectrum but for zeros: the smaller one is taken. */
function codingRate(Z: Matrix): number {
  const n = Math.min(Z.rows, Z.columns);
  const matrix = Z.rows < Z.columns ? rowGram(Z) : gram(Z);
  for (let at = 0; at < matrix.length; at++) matrix[at] /= Z.rows * epsilon;
  for (let j = 0; j < n; j++) matrix[j * n + j] += 1;
  return logDeterminant(matrix, n) / 2;
}
