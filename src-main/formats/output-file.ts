import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';

/**
 * Makes sure that a file may be written, before the work for it begins. What is there, a link to nowhere included, is
 * replaced only with `overwrite`; a link is replaced itself, not what it leads to (`writeWhole` renames).
 * Errors: `not-found` without its folder, `bad-input` for a folder, `conflict`, naming the file, where there is one.
 */
export function checkOutput(file: string, overwrite: boolean): void {
  if (!existsSync(dirname(file))) {
    throw new CotuneError('not-found', `The folder ${dirname(file)} does not exist.`, 'Make it first.');
  }
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (!found) return;
  if (found.isDirectory()) throw new CotuneError('bad-input', `${file} is a folder.`, 'Name a file.');
  if (!found.isFile() && !found.isSymbolicLink()) {
    throw new CotuneError('bad-input', `${file} is a device or a pipe.`, 'Name a file.');
  }
  if (!overwrite) {
    throw new CotuneError(
      'conflict',
      `There is a file ${file} already.`,
      'Name another, or say that it is to be replaced (--force).',
    );
  }
}

/** The same of a folder that is to be written: an empty one is as good as none. */
export function checkOutputFolder(folder: string, overwrite: boolean): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found?.isDirectory()) checkOutput(folder, false);
  else if (!overwrite && readdirSync(folder).length > 0)
    throw new CotuneError(
      'conflict',
      `The folder ${folder} is not empty.`,
      'Name another, or say that what is in it is to be replaced (--force).',
    );
}
