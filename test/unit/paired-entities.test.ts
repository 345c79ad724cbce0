import { expect, test } from 'vitest';
import { countEntities, type EntityCounts, entitiesOf, scoreEntities } from '../../src-shared/entities.ts';
import { entityDifference, entityGains } from '../../src-shared/paired-entities.ts';
import { repeatableRandom } from '../../src-shared/repeatable-random.ts';

const sentence = (gold: number, predicted: number, correct: number): EntityCounts => ({
  gold,
  predicted,
  correct,
});

/** Sentences with up to three entities of which a network finds a share, and makes up some. */
function predictedBy(skill: number, sentences: number): EntityCounts[] {
  const [gold, found] = [repeatableRandom(10), repeatableRandom(20 + skill)];
  return Array.from({ length: sentences }, () => {
    const there = Math.floor(4 * gold());
    const correct = Array.from({ length: there }, found).filter((value) => value < skill).length;
    return sentence(there, correct + Number(found() < 0.2), correct);
  });
}

const f1 = (counts: readonly EntityCounts[]) => {
  const sum = (of: keyof EntityCounts) => counts.reduce((all, one) => all + one[of], 0);
  return (2 * sum('correct')) / (sum('gold') + sum('predicted'));
};

test('counts of sentences add up to the scores of all', () => {
  const gold = [['B-PER', 'I-PER', 'O'], ['O', 'B-LOC'], ['O']];
  const predicted = [['B-PER', 'O', 'O'], ['O', 'B-LOC'], ['B-ORG']];
  const counts = gold.map((tags, at) => countEntities(entitiesOf(tags), entitiesOf(predicted[at])));
  expect(counts).toEqual([sentence(1, 1, 0), sentence(1, 1, 1), sentence(0, 1, 0)]);
  expect(f1(counts)).toBeCloseTo(scoreEntities(gold, predicted).micro.f1, 12);
});

test('gains of sentences have the difference of F1 as their mean, and that of another sample to first order', () => {
  const [a, b] = [predictedBy(0.6, 400), predictedBy(0.8, 400)];
  const gains = entityGains(a, b);
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  expect(mean).toBeCloseTo(f1(b) - f1(a), 12);
  // One sentence of 400 left out: what is left is of second order, (1 / 400)².
  const without = (counts: readonly EntityCounts[]) => counts.filter((_, at) => at !== 7);
  const left = [...gains].filter((_, at) => at !== 7);
  const expected = left.reduce((sum, gain) => sum + gain, 0) / left.length;
  expect(Math.abs(f1(without(b)) - f1(without(a)) - expected)).toBeLessThan(5e-5);
});

test('the bootstrap’s interval is as wide as the spread of gains says, and comes out the same again', () => {
  const [a, b] = [predictedBy(0.6, 600), predictedBy(0.8, 600)];
  const found = entityDifference(a, b);
  expect(found.value).toBeCloseTo(f1(b) - f1(a), 12);
  const gains = entityGains(a, b);
  const variance = gains.reduce((sum, gain) => sum + (gain - found.value) ** 2, 0) / 600;
  const half = 1.96 * Math.sqrt(variance / 600);
  // Quantiles of 2,000 draws are known to a twentieth of a deviation.
  expect(Math.abs(found.low - (found.value - half))).toBeLessThan(0.15 * half);
  expect(Math.abs(found.high - (found.value + half))).toBeLessThan(0.15 * half);
  // No exchange of 9,999 tells them as far apart.
  expect(found.p).toBe(1e-4);
  expect(entityDifference(a, b)).toEqual(found);
  const mirrored = entityDifference(b, a);
  expect(mirrored.value).toBe(-found.value);
  expect(mirrored.p).toBe(found.p);
});

test('six sentences that all speak for one network are 2 of 64 exchanges, five are too few for a verdict', () => {
  const alike = Array.from({ length: 94 }, () => sentence(1, 1, 1));
  const differing = (count: number) => {
    const a = [...alike, ...Array.from({ length: count }, () => sentence(1, 1, 0))];
    return entityDifference(a, [...alike, ...Array.from({ length: count }, () => sentence(1, 1, 1))]);
  };
  // Four standard errors of a share of 9,999 draws.
  expect(Math.abs(differing(6).p - 2 / 64)).toBeLessThan(4 * Math.sqrt(2 / 64 / 9999));
  expect(differing(6).low).toBeGreaterThan(0);
  expect(Math.abs(differing(5).p - 2 / 32)).toBeLessThan(4 * Math.sqrt(2 / 32 / 9999));
  expect(differing(5).low).toBe(0);
});

test('networks that predict the same, or nothing where nothing is, cannot be told apart', () => {
  const counts = predictedBy(0.7, 50);
  expect(entityDifference(counts, counts)).toEqual({ value: 0, low: 0, high: 0, p: 1 });
  const nothing = [sentence(0, 0, 0), sentence(0, 0, 0)];
  expect(entityDifference(nothing, nothing)).toEqual({ value: 0, low: 0, high: 0, p: 1 });
  expect([...entityGains(nothing, nothing)]).toEqual([0, 0]);
});
