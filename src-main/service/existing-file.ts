import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';

/** Absolute path of a file that is there. Errors: `not-found`. */
export function existingFile(path: string, what: string): string {
  const file = resolve(path);
  if (!existsSync(file)) throw new CotuneError('not-found', `There is no file ${file}.`, `Name ${what}.`);
  return file;
}
