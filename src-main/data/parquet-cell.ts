import { DamagedFile } from '../formats/file-bytes.ts';
import { ImageProblem } from './image.ts';
import type { Part } from './locator.ts';
import { parquetAt } from './parquet-at.ts';

/**
 * The bytes of an image in a cell of the Parquet file at an absolute path.
 * @throws ImageProblem for a cell without bytes, and where the file is damaged; system errors pass through.
 */
export function readCell(path: string, { column, row, within }: Extract<Part, { kind: 'row' }>): Buffer {
  let value: unknown;
  try {
    value = parquetAt(path, within).value(column, row);
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    throw new ImageProblem('broken', `its Parquet file cannot be read: ${error.message}`, { cause: error });
  }
  if (!(value instanceof Uint8Array) || value.length === 0)
    throw new ImageProblem('empty', 'its cell in the Parquet file is empty');
  // A copy: what was decoded is a whole page.
  return Buffer.from(value);
}
