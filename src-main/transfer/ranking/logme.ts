import { classSpectrum } from './class-spectrum.ts';
import type { RankingScore } from './score.ts';

/** Real features take under a hundred; where features explain every label there is no fixed point to reach. */
const rounds = 1000;
const tolerance = 1e-13;

/**
 * LogME: log evidence, an image, of Bayesian linear regression on one-hot targets t, mean over classes: the largest over α, β of
 *   [D log α + n log β − log det(α I + β Fᵀ F) − β ‖t − F m‖² − α ‖m‖² − n log 2π] / 2n, m the posterior mean,
 * by the fixed point γ = Σ s / (s + α/β), α = γ / ‖m‖², β = (n − γ) / ‖t − F m‖², run to its end.
 */
export const logme: RankingScore = {
  name: 'logme',
  title: 'LogME',
  help: 'log evidence of a linear model of the labels on the features; mean over classes, nats an image',
  source: 'You, Liu, Wang, Long, «LogME», ICML 2021, algorithm 1 (its fixed point run to convergence)',
  score(evidence) {
    const { features: F, targets } = evidence;
    const [n, D] = [F.rows, F.columns];
    const { values, squares, counts } = classSpectrum(F, evidence);
    // Rounding leaves some of those that are zero below it.
    const s = values.map((value) => Math.max(0, value));
    let total = 0;
    let classes = 0;
    for (let k = 0; k < targets; k++) {
      if (counts[k] === 0) continue;
      classes++;
      const at = (ratio: number) => {
        let [gamma, length, explained] = [0, 0, 0];
        for (let j = 0; j < D; j++) {
          const denominator = s[j] + ratio;
          gamma += s[j] / denominator;
          length += squares[k][j] / denominator ** 2;
          explained += (squares[k][j] * (s[j] + 2 * ratio)) / denominator ** 2;
        }
        return { gamma, length, residual: Math.max(0, counts[k] - explained) };
      };
      let [alpha, beta] = [1, 1];
      for (let round = 0; round < rounds; round++) {
        const ratio = alpha / beta;
        const { gamma, length, residual } = at(ratio);
        [alpha, beta] = [gamma / length, (n - gamma) / residual];
        if (Math.abs(alpha / beta - ratio) / ratio < tolerance) break;
      }
      const { length, residual } = at(alpha / beta);
      let logDet = 0;
      for (let j = 0; j < D; j++) logDet += Math.log(alpha + beta * s[j]);
      const evidenceOfClass =
        D * Math.log(alpha) +
        n * Math.log(beta) -
        logDet -
        beta * residual -
        alpha * length -
        n * Math.log(2 * Math.PI);
      total += evidenceOfClass / (2 * n);
    }
    return total / classes;
  },
};
