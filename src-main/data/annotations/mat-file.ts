import { CotuneError } from '../../../src-shared/errors.ts';
import { DamagedFile } from '../../formats/file-bytes.ts';
import { type MatValue, readMat } from '../../formats/mat/read-mat.ts';
import type { FileTree } from '../trees/tree.ts';

/** A variable of a MATLAB file of a tree. Errors: `bad-input` for a file that is damaged or lacks it. */
export async function matVariable(tree: FileTree, path: string, name: string): Promise<MatValue> {
  let variables: Map<string, MatValue>;
  try {
    variables = readMat(await tree.read(path));
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    throw problem(path, error.message, error);
  }
  const value = variables.get(name);
  if (!value)
    throw problem(
      path,
      `it has no variable ${name}, but ${[...variables.keys()].join(', ') || 'none at all'}`,
    );
  return value;
}

/** The numbers of a value, be it an array or a cell array of single numbers; nothing for anything else. */
export function numbersIn(value: MatValue | undefined): number[] {
  if (value?.kind === 'numbers') return Array.from(value.values);
  return value?.kind === 'cells' ? value.cells.map((cell) => numbersIn(cell)[0] ?? Number.NaN) : [];
}

/** The texts of a value, be it a text or a cell array of texts. */
export function textsIn(value: MatValue | undefined): string[] {
  if (value?.kind === 'text') return value.rows.map((row) => row.trim());
  return value?.kind === 'cells' ? value.cells.map((cell) => textsIn(cell)[0] ?? '') : [];
}

const problem = (path: string, reason: string, cause?: unknown): CotuneError =>
  new CotuneError('bad-input', `${path} cannot be read as a MATLAB file: ${reason}.`, 'Download it again.', {
    cause,
  });
