import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../src-main/engine/engine.ts';
import { allCases } from './cases.ts';
import { openGpu } from './gpu.ts';
import { expectParity, random } from './parity.ts';

const trials = 2;
let engine: Engine | string;
beforeAll(async () => {
  engine = await openGpu();
});
afterAll(async () => {
  if (typeof engine !== 'string') await engine.dispose();
});

for (const [family, cases] of Object.entries(allCases))
  describe(`the WebGPU engine agrees with tf.js on ${family}`, () => {
    for (const [name, build] of Object.entries(cases))
      test(name, async (context) => {
        if (typeof engine === 'string') return context.skip(engine);
        for (let seed = 1; seed <= trials; seed++) await expectParity(engine, build(random(seed)), seed);
      });
  });
