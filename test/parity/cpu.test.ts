import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { allCases } from './cases.ts';
import { expectParity, random } from './parity.ts';

const trials = 8;
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine('cpu');
});
afterAll(() => engine.dispose());

for (const [family, cases] of Object.entries(allCases))
  describe(`the CPU engine agrees with tf.js on ${family}`, () => {
    for (const [name, build] of Object.entries(cases))
      test(name, async () => {
        for (let seed = 1; seed <= trials; seed++) await expectParity(engine, build(random(seed)), seed);
      });
  });
