import type { Matrix } from '../../../src-shared/matrix.ts';
import { centered } from './centered.ts';
import { type ClassSpectrum, classSpectrum } from './class-spectrum.ts';
import type { Evidence, RankingScore } from './score.ts';

/** Eigenvalues below this share of the largest count as zero in a pseudoinverse. */
const cutoff = 1e-10;

/** Both scores follow from the same spectrum, which is what they take their time for. */
const found = new WeakMap<Evidence, Between>();

interface Between extends Pick<ClassSpectrum, 'scatter' | 'side' | 'values'> {
  F: Matrix;
  by: Float64Array;
}

/** Σ_k n_k (q · m_k)² by eigenvector q of Fᵀ F, F centered and m_k its class means; with the eigenvalues. */
function between(evidence: Evidence): Between {
  const known = found.get(evidence);
  if (known) return known;
  const F = centered(evidence.features);
  const { scatter, side, values, squares, counts } = classSpectrum(F, evidence);
  const by = values.map((_, j) =>
    squares.reduce((sum, row, k) => sum + (counts[k] > 0 ? row[j] / counts[k] : 0), 0),
  );
  const result = { F, scatter, side, values, by };
  found.set(evidence, result);
  return result;
}

/** H-score: tr(cov(f)⁺ cov(E[f | y])). Of fewer images than features it says nothing: it is then the classes less one. */
export const hScore: RankingScore = {
  name: 'h-score',
  title: 'H-score',
  help: 'variance between the classes over that of the features; says nothing where images are fewer than features',
  speaks: ({ features }) => features.rows > features.columns,
  source: 'Bao et al., «An Information-Theoretic Approach to Transferability», ICIP 2019',
  score(evidence) {
    const { values, by } = between(evidence);
    const least = cutoff * values[values.length - 1];
    return values.reduce((sum, value, j) => (value > least ? sum + by[j] / value : sum), 0);
  },
};

/** The same with the covariance shrunk towards a multiple of the identity, by Ledoit and Wolf's share a. */
export const regularizedHScore: RankingScore = {
  name: 'h-score-regularized',
  title: 'H-score, regularized',
  help: 'the H-score with a shrunk covariance, for few images',
  source: 'Ibrahim, Ponomareva, Mazumder, «Newer is not always better», ECML 2022; Ledoit and Wolf 2004',
  score(evidence) {
    const { F, scatter, side, values, by } = between(evidence);
    const [n, p] = [F.rows, F.columns];
    let [trace, squares, fourth] = [0, 0, 0];
    for (let j = 0; j < side; j++) trace += scatter[j * side + j] / n;
    for (const value of scatter) squares += (value / n) ** 2;
    for (let i = 0; i < n; i++) {
      let length = 0;
      for (let j = 0; j < p; j++) length += F.data[i * p + j] ** 2;
      fourth += length ** 2 / n;
    }
    const mu = trace / p;
    const distance = squares / p - mu ** 2;
    const shrinkage = Math.min((fourth - squares) / (n * p), distance) / distance;
    const sum = values.reduce(
      (total, value, j) => total + by[j] / ((1 - shrinkage) * (value / n) + shrinkage * mu),
      0,
    );
    return ((1 - shrinkage) * sum) / (n - 1);
  },
};
