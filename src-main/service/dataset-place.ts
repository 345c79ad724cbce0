import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import type { DatasetPlace } from '../data/list-images.ts';

/** A dataset as a person names it: a folder or a file. Errors: `not-found`. */
export function datasetPlace(path: string): DatasetPlace {
  const full = resolve(path);
  const facts = statSync(full, { throwIfNoEntry: false });
  if (!facts) throw new CotuneError('not-found', `${full} does not exist.`, 'Check the path.');
  return facts.isDirectory() ? { folder: full, file: null } : { folder: dirname(full), file: basename(full) };
}
