/** Entities against counts made by hand and scores of the rules of conlleval (test/fixtures/metrics/entities.json). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type EntityScore, entitiesOf, scoreEntities } from '../../src-shared/entities.ts';

const { cases, all_cases_together: together } = JSON.parse(
  readFileSync(new URL('../fixtures/metrics/entities.json', import.meta.url), 'utf8'),
);

type Wanted = Record<keyof EntityScore, number>;

function expectScore(got: EntityScore, want: Wanted): void {
  const { gold, predicted, correct, precision, recall, f1 } = want;
  expect([got.gold, got.predicted, got.correct]).toEqual([gold, predicted, correct]);
  for (const [value, wanted] of [
    [got.precision, precision],
    [got.recall, recall],
    [got.f1, f1],
  ])
    expect(Math.abs(value - wanted)).toBeLessThanOrEqual(1e-8 * wanted);
}

describe('entities', () => {
  it.each<Record<string, never>>(cases)('are counted as conlleval does: $name', (one) => {
    const { gold, predicted } = one;
    const spans = (sentences: string[][]) =>
      sentences.map((tags) => entitiesOf(tags).map(({ type, start, end }) => [type, start, end - 1]));
    expect(spans(gold)).toEqual(one.spans_gold);
    expect(spans(predicted)).toEqual(one.spans_predicted);
    const scores = scoreEntities(gold, predicted);
    expectScore(scores.micro, one.micro);
    expect(Object.keys(scores.perType)).toEqual(Object.keys(one.per_type));
    for (const [type, want] of Object.entries<Wanted>(one.per_type)) expectScore(scores.perType[type], want);
    expect([scores.tokens, scores.tokensCorrect]).toEqual([one.tokens, one.tokens_correct]);
    expect(scores.tokenAccuracy).toBeCloseTo(one.token_accuracy, 8);
  });

  it('are counted over the sentences of a whole corpus', () => {
    const all = (of: 'gold' | 'predicted') => cases.flatMap((one: Record<string, string[][]>) => one[of]);
    const scores = scoreEntities(all('gold'), all('predicted'));
    expectScore(scores.micro, together.micro);
    for (const [type, want] of Object.entries<Wanted>(together.per_type))
      expectScore(scores.perType[type], want);
  });
});
