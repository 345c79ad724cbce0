import { expect, test } from 'vitest';
import { randomOf } from '../../src-main/data/random.ts';
import { drawnMasks } from '../../src-main/transfer/dropping.ts';

const maskOf = (rate: number, batch: number, step = 0): Float32Array => {
  const masks = drawnMasks(
    [{ name: 'site', of: 'image', features: 1, rate }],
    { batch, size: 1 },
    randomOf(3, 'mask', step),
  );
  return masks.site as Float32Array;
};

test.each([0.02, 0.1, 0.5, 0.9])(
  'at a rate of %s every value is dropped alike, whatever its neighbor is',
  (rate) => {
    const count = 200_000;
    const mask = maskOf(rate, count);
    expect([...new Set(mask)].sort()).toEqual([0, Math.fround(1 / (1 - rate))]);
    const share = (of: (at: number) => boolean, among: number) => {
      let hits = 0;
      for (let at = 0; at < among; at++) if (of(at)) hits++;
      return hits / among;
    };
    // Five standard errors of a share.
    const expectShare = (found: number, expected: number, among: number) =>
      expect(Math.abs(found - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / among));
    expectShare(
      share((at) => mask[at] === 0, count),
      rate,
      count,
    );
    for (const distance of [1, 2, 7])
      expectShare(
        share((at) => mask[at * 8] === 0 && mask[at * 8 + distance] === 0, count / 8),
        rate ** 2,
        count / 8,
      );
    const firsts = Array.from({ length: 2000 }, (_, step) => maskOf(rate, 1, step)[0]);
    expectShare(
      share((at) => firsts[at] === 0, firsts.length),
      rate,
      firsts.length,
    );
  },
);

test('nothing is dropped at a rate of zero', () => {
  expect(new Set(maskOf(0, 100))).toEqual(new Set([1]));
});
