import { randomUUID } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { temporaryEnd } from './make-room.ts';
import { explainSystemError } from './system-error.ts';

/**
 * Writes a file beside its final name, syncs and renames it, so that no reader ever sees half of it, and that it is there
 * after a power cut once this has returned. Errors: `unavailable` where the disk is full or cannot be written.
 */
export function writeWhole(path: string, blocks: Iterable<Uint8Array>): void {
  const bytes = Array.isArray(blocks)
    ? blocks.reduce((sum: number, block: Uint8Array) => sum + block.length, 0)
    : undefined;
  replaceFile(path, bytes, (temporary) => {
    const file = openSync(temporary, 'w');
    try {
      for (const block of blocks)
        for (let written = 0; written < block.length; ) written += writeSync(file, block, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** Copies a file as `writeWhole` writes one. */
export function copyWhole(from: string, to: string): void {
  replaceFile(to, statSync(from).size, (temporary) => {
    copyFileSync(from, temporary);
    const file = openSync(temporary, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

function replaceFile(path: string, bytes: number | undefined, write: (temporary: string) => void): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    write(temporary);
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw explainSystemError(error, { path, bytes });
  }
}

/**
 * Writes a file that readers see whole or not at all, while other work goes on between its blocks. `bytes` says how much it
 * takes where that is known. Errors: `unavailable` where the disk is full or cannot be written.
 */
export async function writeWholeMeanwhile(
  path: string,
  blocks: Iterable<string | Uint8Array>,
  bytes?: number,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}${temporaryEnd}`;
  try {
    const file = await open(temporary, 'wx');
    try {
      for (const block of blocks) await file.writeFile(block);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainSystemError(error, { path, bytes });
  }
}

/** Makes the names in a folder outlast a power cut, where the system knows that of folders: Windows does by itself. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
