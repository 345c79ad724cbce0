import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { CotuneError } from '../../src-shared/errors.ts';
import { writeNpy } from './npy.ts';
import { explainSystemError } from './system-error.ts';

const bytesPerNumber = 4;

/** A float32 matrix [rows, columns] in a .npy file that is written and read some rows at a time. */
export interface RowsFile {
  path: string;
  rows: number;
  columns: number;
}

/** Begins the file anew, without rows. Errors: `unavailable` where the disk is full or cannot be written. */
export function createRows({ path, rows, columns }: RowsFile): void {
  const { header } = layout(rows, columns);
  writing(path, 'w', (file) => {
    writeSync(file, header);
  });
}

/** Writes whole rows from row `first` on; `syncRows` brings them to the disk for good. Errors as `createRows`. */
export function writeRows({ path, rows, columns }: RowsFile, first: number, values: Float32Array): void {
  const { header } = layout(rows, columns);
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const at = header.length + first * columns * bytesPerNumber;
  writing(path, 'r+', (file) => {
    for (let written = 0; written < bytes.length; )
      written += writeSync(file, bytes, written, bytes.length - written, at + written);
  });
}

/** Brings what was written to the disk for good before it returns. Errors as `createRows`. */
export const syncRowsNow = ({ path }: RowsFile): void => writing(path, 'r+', fsyncSync);

/** Resolves when what was written is on the disk for good: hundreds of megabytes may take seconds. Errors as `createRows`. */
export async function syncRows({ path }: RowsFile): Promise<void> {
  try {
    const file = await open(path, 'r+');
    await file.sync().finally(() => file.close());
  } catch (error) {
    throw explainSystemError(error, { path });
  }
}

function writing(path: string, flags: 'w' | 'r+', write: (file: number) => void): void {
  try {
    const file = openSync(path, flags);
    try {
      write(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw explainSystemError(error, { path });
  }
}

/** Opens the file for reading single rows. Errors: `unavailable` where it is gone or has another size. */
export function openRows({ path, rows, columns }: RowsFile): {
  read(row: number): Float32Array;
  close(): void;
} {
  const gone = (why: string) =>
    new CotuneError(
      'unavailable',
      `The class probabilities ${path} cannot be read: ${why}.`,
      'Train the run again.',
    );
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw gone((error as Error).message);
  }
  const { header, bytes } = layout(rows, columns);
  if (fstatSync(file).size !== bytes) {
    closeSync(file);
    throw gone(`it does not hold ${rows} rows of ${columns} numbers`);
  }
  return {
    read(row) {
      const values = new Float32Array(columns);
      const target = Buffer.from(values.buffer);
      const at = header.length + row * target.length;
      for (let read = 0; read < target.length; ) {
        const more = readSync(file, target, read, target.length - read, at + read);
        if (more === 0) throw gone('it ends early');
        read += more;
      }
      return values;
    },
    close: () => closeSync(file),
  };
}

/** The header of a matrix of that shape, and the length of the whole file. */
function layout(rows: number, columns: number): { header: Uint8Array; bytes: number } {
  const header = writeNpy({ shape: [rows, columns], data: new Float32Array() });
  return { header, bytes: header.length + rows * columns * bytesPerNumber };
}
