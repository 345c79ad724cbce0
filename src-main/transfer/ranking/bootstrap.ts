import type { Matrix } from '../../../src-shared/matrix.ts';
import { normalOf, type Random, randomOf } from '../../data/random.ts';
import type { Evidence, RankingScore } from './score.ts';

const resamples = 100;
/** Features that a resample's scores see: as many random directions of them, so that a hundred take seconds. */
const directions = 64;

export interface ScoreWithInterval {
  name: string;
  /** NaN where the score says nothing. */
  value: number;
  /** 95 %, over which images there happen to be. */
  low: number;
  high: number;
}

/**
 * Scores of a network with percentile bootstrap intervals over images (Efron 1979). A resample's features are seen through 64
 * random directions, and its deviation from the resamples' own mean is what counts: repeated images move the mean.
 */
export function scoresWithIntervals(
  scores: readonly RankingScore[],
  evidence: Evidence,
): ScoreWithInterval[] {
  const random = randomOf(0, 'ranking bootstrap');
  const narrow = { ...evidence, features: projected(evidence.features, random) };
  const drawn = Array.from({ length: resamples }, () => resample(narrow, random));
  return scores.map((one) => {
    if (one.speaks?.(evidence) === false)
      return { name: one.name, value: Number.NaN, low: Number.NaN, high: Number.NaN };
    const value = one.score(evidence);
    const values = drawn.map((sample) => one.score(sample)).filter(Number.isFinite);
    const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
    values.sort((a, b) => a - b);
    const quantile = (share: number) => values[Math.round(share * (values.length - 1))] - mean;
    return { name: one.name, value, low: value + quantile(0.025), high: value + quantile(0.975) };
  });
}

function projected({ data, rows, columns }: Matrix, random: Random): Matrix {
  if (columns <= directions) return { data, rows, columns };
  const axes = Float64Array.from(
    { length: columns * directions },
    () => normalOf(random) / Math.sqrt(directions),
  );
  const out = new Float64Array(rows * directions);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const value = data[i * columns + j];
      for (let k = 0; k < directions; k++) out[i * directions + k] += value * axes[j * directions + k];
    }
  return { data: out, rows, columns: directions };
}

function resample({ probabilities, features, labels, targets }: Evidence, random: Random): Evidence {
  const rows = Int32Array.from(labels, () => Math.floor(random() * labels.length));
  const pick = ({ data, columns }: Matrix): Matrix => {
    const out = new Float64Array(rows.length * columns);
    for (const [at, i] of rows.entries())
      out.set(data.subarray(i * columns, (i + 1) * columns), at * columns);
    return { data: out, rows: rows.length, columns };
  };
  return {
    probabilities: pick(probabilities),
    features: pick(features),
    labels: rows.map((i) => labels[i]),
    targets,
  };
}
