import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { explainSystemError } from './system-error.ts';

/**
 * Makes a folder and those above it that are missing.
 * @throws CotuneError `unavailable` where that cannot be, with the reason.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw explainSystemError(reasonOf(error, path), { path });
  }
}

/** Node says ENOENT whenever the topmost missing folder may not be made: the system's own reason is had by making that one alone. */
function reasonOf(error: unknown, path: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  let topmost = path;
  while (!existsSync(dirname(topmost))) topmost = dirname(topmost);
  try {
    mkdirSync(topmost);
  } catch (reason) {
    return reason;
  }
  return error;
}
