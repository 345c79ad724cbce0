import { statSync } from 'node:fs';
import { FileBytes } from '../formats/file-bytes.ts';
import { ParquetFile } from '../formats/parquet/parquet-file.ts';

/** Files that are kept open in thought: their index and the page read last. */
const maxKept = 4;
const kept = new Map<string, { changed: number; file: ParquetFile }>();

/** The Parquet file at an absolute path, or in a piece of that file; its index is read once. Errors: `DamagedFile`, system errors. */
export function parquetAt(path: string, within?: { offset: number; bytes: number }): ParquetFile {
  const changed = statSync(path).mtimeMs;
  const key = `${within?.offset ?? 0} ${path}`;
  const before = kept.get(key);
  const piece = within && { begin: within.offset, size: within.bytes };
  const file = before?.changed === changed ? before.file : new ParquetFile(new FileBytes(path, piece));
  kept.delete(key);
  kept.set(key, { changed, file });
  if (kept.size > maxKept) kept.delete(kept.keys().next().value!);
  return file;
}
