import { beforeAll, test } from 'vitest';
import { openTensorflowEngine } from '../../src-main/engine/eager.ts';
import type { Engine } from '../../src-main/engine/engine.ts';
import { allCases } from './cases.ts';
import { expectParity, random } from './parity.ts';

const trials = 2;
let engine: Engine | string;
beforeAll(async () => {
  engine = await openTensorflowEngine().catch((error: Error) => error.message);
});

// A family at a time: most machines have no TensorFlow and would skip a hundred tests one by one.
for (const [family, cases] of Object.entries(allCases))
  test(`the tensorflow engine agrees with tf.js’s CPU backend on ${family}`, async (context) => {
    if (typeof engine === 'string') return context.skip(engine);
    for (const build of Object.values(cases))
      for (let seed = 1; seed <= trials; seed++) await expectParity(engine, build(random(seed)), seed);
  });
