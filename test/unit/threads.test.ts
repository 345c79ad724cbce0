import { expect, test } from 'vitest';
import { threadOptions } from '../../src-main/engine/run/threads.ts';

test('the variable says how many threads an operator takes; without it the runtime chooses', () => {
  expect(threadOptions('3')).toEqual({ intraOpNumThreads: 3 });
  expect(threadOptions('')).toEqual({});
});

test.each(['0', '-1', '1.5', 'all', '1e9'])(
  '«%s» threads are refused by the name of the variable',
  (given) => {
    expect(() => threadOptions(given)).toThrow(`COTUNE_THREADS is “${given}”`);
  },
);
