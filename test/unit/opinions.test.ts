import { describe, expect, test } from 'vitest';
import { agreement, inOrder, opinionsOf } from '../../src-renderer/rankings/opinions.ts';

const scores = ['LEEP', 'NCE', 'LogME'].map((title) => ({
  name: title.toLowerCase(),
  title,
  help: '',
  source: '',
}));
/** Models with a value for each score, and the same half width of every interval. */
const ranking = (values: Record<string, (number | null)[]>, half = 0.1) => ({
  scores,
  models: Object.entries(values).map(([model, own]) => ({
    model,
    modelHash: model,
    values: Object.fromEntries(
      own.map((value, at) => [
        scores[at].name,
        value === null ? null : { value, low: value - half, high: value + half },
      ]),
    ),
  })),
});
const said = (values: Record<string, (number | null)[]>, half?: number) =>
  agreement(opinionsOf(ranking(values, half)));

describe('what scores say together', () => {
  test('agreement says how sure it is', () => {
    expect(said({ a: [3, 3, 3], b: [1, 1, 1] })).toBe(
      'All 3 scores put a first. Its intervals lie above those of every other network.',
    );
    expect(said({ a: [3, 3, 3], b: [1, 1, 2.9] })).toContain('2 of these 3 are sure of it');
    expect(said({ a: [3, 3, 3], b: [1, 1, 1] }, 2)).toContain('None of them is sure');
  });

  test('a score that differs is named', () => {
    expect(said({ a: [3, 3, 1], b: [1, 1, 3] })).toMatch(/^2 of 3 scores put a first; LogME puts b first\./);
  });

  test('without a majority there is no winner', () => {
    expect(said({ a: [3, 1, 1], b: [1, 3, 1], c: [2, 2, 3] })).toMatch(
      /^The scores do not agree: LEEP for a; NCE for b; LogME for c\./,
    );
  });

  test('a score without two values has no opinion, nor has one network', () => {
    expect(opinionsOf(ranking({ a: [3, null, 1], b: [1, null, null] }))).toMatchObject([{ score: 'LEEP' }]);
    expect(said({ a: [1, 2, 3] })).toContain('One network alone');
  });

  test('models stand by their mean place, those without values last', () => {
    const order = inOrder(ranking({ none: [null, null, null], low: [1, 1, 1], high: [2, 0, 2] }));
    expect(order.map(({ model }) => model)).toEqual(['high', 'low', 'none']);
  });
});
