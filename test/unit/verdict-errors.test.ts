/**
 * How often verdicts err, in simulation. Networks are right on an image where a latent ability exceeds the image's difficulty;
 * part of an image's difficulty is common to all networks, part to the networks of one method, part to the one network.
 */
import { expect, test } from 'vitest';
import { networkDifference } from '../../src-shared/paired-networks.ts';
import { methodDifference } from '../../src-shared/seeds-by-images.ts';

/** Above this point lies 0.8 of a normal distribution: the networks' accuracy; and its density there, what a latent step is worth. */
const threshold = -0.8416212335729143;
const slope = 0.28;

let state = 20260101;
function uniform(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
/** Normal numbers drawn once: drawing them anew would be all that the simulation does. */
const drawn = Float64Array.from({ length: 65_536 }, normal);
const quick = () => drawn[(uniform() * drawn.length) | 0];

interface Regime {
  seeds: number;
  images: number;
  /** Seed-to-seed standard deviation of a method's accuracy, in points. */
  sd: number;
  /** Share of what networks do not have in common that those of one method have. */
  ofMethod: number;
  /** True difference of the methods, in points. */
  difference?: number;
}

function gains({ seeds, images, sd, ofMethod, difference = 0 }: Regime): Int8Array[] {
  const common = Array.from({ length: images }, () => Math.sqrt(0.7) * quick());
  const own = Math.sqrt(0.3 * (1 - ofMethod));
  const method = () => common.map((shared) => shared + Math.sqrt(0.3 * ofMethod) * quick());
  const [ofA, ofB] = [method(), method()];
  return Array.from({ length: seeds }, () => {
    const abilityA = (sd / 100 / slope) * normal();
    const abilityB = (sd / 100 / slope) * normal() + difference / 100 / slope;
    return Int8Array.from({ length: images }, (_, i) => {
      const rightA = ofA[i] + own * quick() + abilityA > threshold;
      const rightB = ofB[i] + own * quick() + abilityB > threshold;
      return Number(rightB) - Number(rightA);
    });
  });
}

function spoken(regime: Regime, times: number): number {
  let count = 0;
  for (let i = 0; i < times; i++) {
    const { low, high, p } = methodDifference(gains(regime));
    const excludes = low > 0 || high < 0;
    // The interval and the p-value are one statement.
    expect(excludes).toBe(p <= 0.05);
    count += Number(excludes);
  }
  return count / times;
}

const times = 400;
// Four standard errors of a share that is truly 5 %: chance alone exceeds it in one of a thousand such suites.
const atMost = (count: number) => 0.05 + 4 * Math.sqrt((0.05 * 0.95) / count);

const regimes = [2, 3, 5].flatMap((seeds) =>
  [
    // High correlation over seeds matters only where the seeds' own spread does not drown it.
    { sd: 0, images: 100, ofMethod: 0.1 },
    { sd: 0, images: 300, ofMethod: 0.95 },
    { sd: 1, images: 100, ofMethod: 0.95 },
    { sd: 1, images: 300, ofMethod: 0.1 },
    { sd: 2.2, images: 100, ofMethod: 0.5 },
    { sd: 2.2, images: 300, ofMethod: 0.5 },
    { sd: 5, images: 300, ofMethod: 0.5 },
    { sd: 5, images: 2000, ofMethod: 0.5 },
  ].map((regime) => ({ seeds, ...regime })),
);

test.each(regimes)(
  'without a true difference, %o: at most 5 % of verdicts name a better method',
  (regime) => {
    const count = regime.images > 1000 ? times / 4 : times;
    expect(spoken(regime, count)).toBeLessThan(atMost(count));
  },
);

test.each([100, 300])(
  'two equally good networks on %d images: at most 5 % of verdicts name a better one',
  (images) => {
    let spokenOf = 0;
    for (let i = 0; i < times; i++) {
      const [row] = gains({ seeds: 1, images, sd: 0, ofMethod: 0.5 });
      const [broken, fixed] = [-1, 1].map((what) => row.filter((gain) => gain === what).length);
      const { low, high, p } = networkDifference(broken, fixed, images);
      expect(low > 0 || high < 0).toBe(p <= 0.05);
      spokenOf += Number(p <= 0.05);
    }
    expect(spokenOf / times).toBeLessThan(atMost(times));
  },
);

// What can be found at all: with a seed-to-seed sd of 1 point, the difference of 5 has a standard error of 1.4 / √n and that of
// the images, 0.9 points for 1,000; three seeds must exceed 4.3 of the former, five 2.8.
test.each([
  { seeds: 2, sd: 0, least: 0.25 },
  { seeds: 3, sd: 0, least: 0.7 },
  { seeds: 3, sd: 1, least: 0.45 },
  { seeds: 5, sd: 1, least: 0.8 },
  { seeds: 5, sd: 2.2, least: 0.4 },
])('a true difference of 5 points is found, %o', ({ seeds, sd, least }) => {
  expect(spoken({ seeds, sd, images: 1000, ofMethod: 0.5, difference: 5 }, 60)).toBeGreaterThan(least);
});

test('seeds that agree exactly leave what the images allow', () => {
  const row = Int8Array.from({ length: 300 }, (_, i) => (i < 12 ? 1 : i < 24 ? -1 : 0));
  const other = row.toReversed();
  const { value, low, high } = methodDifference([row, other]);
  expect(value).toBe(0);
  // Standard error of a mean of 600 gains of which 48 are not zero: 1.15 points.
  expect(high).toBeCloseTo(-low, 12);
  expect(high).toBeGreaterThan(0.02);
});

test('from a single image nothing follows', () => {
  expect(methodDifference([Int8Array.of(1), Int8Array.of(1)])).toEqual({ value: 1, low: -1, high: 1, p: 1 });
});
