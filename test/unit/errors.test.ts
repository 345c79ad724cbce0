import { expect, test } from 'vitest';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';

test('an error keeps its code and hint across a process boundary, and a foreign one becomes `failed`', () => {
  expect(toErrorValue(new CotuneError('bad-input', 'no folder', 'name one'))).toEqual({
    code: 'bad-input',
    message: 'no folder',
    hint: 'name one',
  });
  expect(toErrorValue(new RangeError('out'))).toEqual({ code: 'failed', message: 'out', hint: '' });
  expect(toErrorValue('text').message).toBe('text');
});
