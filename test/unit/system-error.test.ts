import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explainSystemError } from '../../src-main/formats/system-error.ts';

const system = (code: string, more: object = {}) =>
  Object.assign(new Error(`${code}: something, write`), { code, ...more });

test('a full disk says which file, how much it takes and how much there is, and what to do', () => {
  const path = join(tmpdir(), 'not', 'there', 'yet.safetensors');
  expect(explainSystemError(system('ENOSPC'), { path, bytes: 94_400_000 })).toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(
      /yet\.safetensors cannot be written: the disk is full \(94\.4 MB needed, [\d.]+ [kMG]B free on its disk\)\.$/,
    ),
    hint: expect.stringMatching(/Free some space.*another disk/),
  });
  expect(explainSystemError(system('EDQUOT'), { path })).toMatchObject({
    message: expect.stringContaining('the disk quota is used up'),
  });
});

test('a copy to a full disk names the copy, not the original', () => {
  const error = system('ENOSPC', { path: '/photos/original', dest: '/home/copy' });
  expect(explainSystemError(error)).toMatchObject({ message: expect.stringContaining('/home/copy cannot') });
});

test('an error that is no system’s, or is explained already, stays as it is', () => {
  const mistake = new TypeError('x is not a function');
  expect(explainSystemError(mistake)).toBe(mistake);
  const explained = explainSystemError(system('EROFS', { path: '/mnt' }));
  expect(explainSystemError(explained, { path: '/elsewhere' })).toBe(explained);
});
