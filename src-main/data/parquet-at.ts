import { statSync } from 'node:fs';
import { FileBytes } from '../formats/file-bytes.ts';
import { ParquetFile } from '../formats/parquet/parquet-file.ts';

/** Files that are kept open in thought: their index and the page read last. */
const maxKept = 4;
const kept = new Map<string, { changed: number; file: ParquetFile }>();

/** The Parquet file at an absolute path; its index is read once. Errors: `DamagedFile`, system errors. */
export function parquetAt(path: string): ParquetFile {
  const changed = statSync(path).mtimeMs;
  const before = kept.get(path);
  const file = before?.changed === changed ? before.file : new ParquetFile(new FileBytes(path));
  kept.delete(path);
  kept.set(path, { changed, file });
  if (kept.size > maxKept) kept.delete(kept.keys().next().value!);
  return file;
}
