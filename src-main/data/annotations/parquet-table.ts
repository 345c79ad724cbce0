import { CotuneError } from '../../../src-shared/errors.ts';
import { DamagedFile } from '../../formats/file-bytes.ts';
import type { ParquetFile } from '../../formats/parquet/parquet-file.ts';
import { parquetAt } from '../parquet-at.ts';
import type { FileTree } from '../trees/tree.ts';

/** A Parquet file of a tree. Errors: `bad-input` for one that is damaged. */
export async function openParquet(tree: FileTree, path: string): Promise<ParquetFile> {
  const { path: file, within } = await tree.seekable(path);
  return orProblem(path, () => parquetAt(file, within));
}

/** The values of some columns, row by row. Errors: `bad-input` for a file that is damaged. */
export function* parquetRows(
  file: ParquetFile,
  path: string,
  columns: readonly string[],
): Generator<unknown[]> {
  const values = columns.map((column) => file.values(column));
  for (let row = 0; row < file.rows; row++)
    yield orProblem(path, () => values.map((one) => one.next().value));
}

function orProblem<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    throw new CotuneError(
      'bad-input',
      `${path} cannot be read as a Parquet file: ${error.message}.`,
      'Download it again.',
      { cause: error },
    );
  }
}
