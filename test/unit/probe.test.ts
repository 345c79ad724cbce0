import { expect, test } from 'vitest';
import { openEngine } from '../../src-main/engine/open.ts';
import { probe } from '../../src-main/engine/probe.ts';

test('the probe times a step, and its gradient does not hang on the precision', async () => {
  const [full, mixed] = [await openEngine('cpu'), await openEngine('cpu', { precision: 'mixed' })];
  const [a, b] = [await probe(full), await probe(mixed)];
  expect(a.ms).toBeGreaterThan(0);
  expect(a.slope).toBeGreaterThan(0);
  // `auto` grants an engine in mixed precision three times as much.
  expect(Math.abs(b.slope / a.slope - 1)).toBeLessThan(0.01);
  expect(b.slope).not.toBe(a.slope);
  await full.dispose();
  await mixed.dispose();
});
