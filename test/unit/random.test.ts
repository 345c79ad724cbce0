import { expect, test } from 'vitest';
import { normalOf, randomOf, threefry } from '../../src-main/data/random.ts';

const hex = (words: Uint32Array) => Array.from(words, (word) => word.toString(16).padStart(8, '0')).join(' ');
const drawn = (count: number, ...stream: Parameters<typeof randomOf>) => {
  const random = randomOf(...stream);
  return Array.from({ length: count }, random);
};

test('blocks are those that Random123 publishes for Threefry-4x32 with 20 rounds', () => {
  const ones = 0xffffffff;
  expect(hex(threefry([0, 0, 0, 0], [0, 0, 0, 0]))).toBe('9c6ca96a e17eae66 fc10ecd4 5256a7d8');
  expect(hex(threefry([ones, ones, ones, ones], [ones, ones, ones, ones]))).toBe(
    '2a881696 57012287 f6c7446e a16a6732',
  );
  const digitsOfPi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  const more = [0xa4093822, 0x299f31d0, 0x082efa98, 0xec4e6c89];
  expect(hex(threefry(digitsOfPi, more))).toBe('59cd1dbb b8879579 86b5d00c ac8b6d84');
});

test('streams do not overlap: of every purpose, seed, step and position, no two draws in a row are found in another', () => {
  const seen = new Map<string, string>();
  let pairs = 0;
  for (const seed of [0, 1, 2 ** 31 - 1])
    for (const purpose of ['order', 'crop', 'head', 'stochnorm'])
      for (let step = 0; step < 8; step++)
        for (let position = 0; position < 4; position++) {
          const stream = [seed, purpose, step, position].join();
          const values = drawn(64, seed, purpose, step, position);
          for (let at = 0; at + 1 < values.length; at++) {
            const pair = `${values[at]} ${values[at + 1]}`;
            expect(seen.get(pair), `${stream} at ${at}`).toBeUndefined();
            seen.set(pair, stream);
            pairs++;
          }
        }
  expect(seen.size).toBe(pairs);
});

test('a place that is left out is the place 0, and the same stream is the same at every call', () => {
  expect(drawn(5, 3, 'order', 0, 0, 0)).toEqual(drawn(5, 3, 'order'));
  expect(() => randomOf(1, 'crop', 1, 2, 3, 4)).toThrow(RangeError);
});

test('uniform and normal numbers have the mean and the deviation that they should have', () => {
  const count = 40_000;
  const moments = (values: number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count)];
  };
  const [uniformMean, uniformDeviation] = moments(drawn(count, 5, 'uniform'));
  const random = randomOf(5, 'normal');
  const [normalMean, normalDeviation] = moments(Array.from({ length: count }, () => normalOf(random)));
  // Five standard errors of a mean: 5 σ / √40,000; of a deviation no more than that.
  expect(Math.abs(uniformMean - 0.5)).toBeLessThan(0.0075);
  expect(Math.abs(uniformDeviation - Math.sqrt(1 / 12))).toBeLessThan(0.0075);
  expect(Math.abs(normalMean)).toBeLessThan(0.025);
  expect(Math.abs(normalDeviation - 1)).toBeLessThan(0.025);
});
