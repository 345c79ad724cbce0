import { describe, expect, test } from 'vitest';
import { canMount, fillDisks } from './full-disk.ts';
import { mutateInputs } from './hostile-bytes.ts';
import { killRandomly } from './kills.ts';
import { race } from './races.ts';

const quietly = () => {};
// The same seed every time: a test says what a change broke. Looking for more is `npm run test:faults`, with any seed.
const seed = 20785;

describe(`faults, seed ${seed} (more: npm run test:faults -- --kills 100 --seed ${seed})`, () => {
  test('kills at random instants lose nothing and change no number', { timeout: 180_000 }, async () => {
    const { lost, differing, crashes } = await killRandomly(8, seed, quietly);
    expect({ lost, differing, crashes }).toEqual({ lost: [], differing: [], crashes: [] });
  });

  test('processes that do everything at once on one home, one of them killed, lose nothing', {
    timeout: 120_000,
  }, async () => {
    const { lost, differing, crashes } = await race(1, seed, 1000, quietly);
    expect({ lost, differing, crashes }).toEqual({ lost: [], differing: [], crashes: [] });
  });

  test.skipIf(!canMount())(
    'full and read-only disks are said with figures, and nothing is lost (skipped where no small disk can be mounted)',
    { timeout: 120_000 },
    async () => {
      const { lost, differing, crashes } = (await fillDisks(1, seed, quietly))!;
      expect({ lost, differing, crashes }).toEqual({ lost: [], differing: [], crashes: [] });
    },
  );

  test('hostile bytes end in an error for a person, in every reader', { timeout: 120_000 }, async () => {
    const { crashes, hangs, escapes } = await mutateInputs(400, seed, quietly);
    expect({ crashes, hangs, escapes }).toEqual({ crashes: [], hangs: [], escapes: [] });
  });
});
