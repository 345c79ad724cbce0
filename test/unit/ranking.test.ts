import { expect, test } from 'vitest';
import { normalOf, randomOf } from '../../src-main/data/random.ts';
import { scoresWithIntervals } from '../../src-main/transfer/ranking/bootstrap.ts';
import { rankingScores } from '../../src-main/transfer/ranking/index.ts';
import type { Evidence } from '../../src-main/transfer/ranking/score.ts';

/** Images of three classes: source class and features follow the label with this share of noise. */
function evidence(noise: number, rows = 120, columns = 8): Evidence {
  const random = randomOf(3, 'ranking test');
  const labels = Int32Array.from({ length: rows }, (_, i) => i % 3);
  const probabilities = new Float64Array(rows * 4);
  const features = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const source = random() < noise ? Math.floor(4 * random()) : labels[i];
    for (let z = 0; z < 4; z++) probabilities[i * 4 + z] = z === source ? 0.97 : 0.01;
    for (let j = 0; j < columns; j++)
      features[i * columns + j] = Number(j === labels[i]) + 2 * noise * normalOf(random);
  }
  return {
    probabilities: { data: probabilities, rows, columns: 4 },
    features: { data: features, rows, columns },
    labels,
    targets: 3,
  };
}

test('every score prefers the network that tells the classes apart, its interval clear of the other', () => {
  const [clear, vague] = [0.1, 0.7].map((noise) => scoresWithIntervals(rankingScores, evidence(noise)));
  for (const [at, one] of clear.entries()) {
    expect(one.low, one.name).toBeGreaterThan(vague[at].high);
    expect(one.low).toBeLessThan(one.value);
    expect(one.high).toBeGreaterThan(one.value);
  }
});

test('the plain H-score says nothing of fewer images than features; the others do', () => {
  const scores = scoresWithIntervals(rankingScores, evidence(0.3, 30, 40));
  const silent = scores.filter(({ value }) => !Number.isFinite(value)).map(({ name }) => name);
  expect(silent).toEqual(['h-score']);
});

test('of a network without a source head only the scores of its features speak', () => {
  const headless = { ...evidence(0.3), probabilities: { data: new Float64Array(), rows: 120, columns: 0 } };
  const scores = scoresWithIntervals(rankingScores, headless);
  const silent = scores.filter(({ value }) => !Number.isFinite(value)).map(({ name }) => name);
  expect(silent).toEqual(['leep', 'nce']);
});
