import { join } from 'node:path';
import { stampsOf } from '../../data/file-stamp.ts';

const together = 1000;

/** `stampsOf` files of a folder; tells now and then that it goes on. */
export async function fileStamps(
  { folder, files }: { folder: string; files: readonly string[] },
  tell: (none: null) => void,
): Promise<(string | null | undefined)[]> {
  const stamps: (string | null | undefined)[] = [];
  for (let first = 0; first < files.length; first += together) {
    stamps.push(...stampsOf(files.slice(first, first + together).map((file) => join(folder, file))));
    tell(null);
  }
  return stamps;
}
