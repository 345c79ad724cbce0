import { expect, test } from 'vitest';
import { loweringRules } from '../../src-main/engine/lower/lower.ts';
import { shapeRules } from '../../src-main/engine/trace/shapes.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';
import { allCases } from './cases.ts';
import { programOf, random } from './parity.ts';

test('every kernel that can be traced can be lowered, and the reverse', () => {
  expect(Object.keys(loweringRules).sort()).toEqual(Object.keys(shapeRules).sort());
});

test('every lowering rule is exercised by a parity case', () => {
  const traced = new Set<string>();
  for (const build of Object.values(allCases).flatMap((cases) => Object.values(cases)))
    for (let seed = 1; seed <= 8; seed++)
      for (const node of trace(programOf(build(random(seed)))).nodes) traced.add(node.kernel);
  expect(Object.keys(loweringRules).filter((kernel) => !traced.has(kernel))).toEqual([]);
});
