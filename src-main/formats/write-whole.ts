import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Writes a file beside its final name, syncs and renames it, so that no reader ever sees half of it. */
export function writeWhole(path: string, blocks: Iterable<Uint8Array>): void {
  const temporary = `${path}.${process.pid}.tmp`;
  let file: number | null = openSync(temporary, 'w');
  try {
    for (const block of blocks)
      for (let written = 0; written < block.length; ) written += writeSync(file, block, written);
    fsyncSync(file);
    closeSync(file);
    file = null;
    renameSync(temporary, path);
  } catch (error) {
    if (file !== null) closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
}
