import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';

const reasons: Record<string, [string, string]> = {
  EACCES: ['permission denied', 'Change its permissions, or choose another place.'],
  EPERM: ['the system does not allow it', 'Change its permissions, or choose another place.'],
  EROFS: ['the disk is read-only', 'Choose another place.'],
  EIO: ['the disk does not answer as it should', 'Look after the disk, or choose another place.'],
  EISDIR: ['it is a folder', 'Name a file.'],
  ENOTDIR: ['part of its path is a file, not a folder', 'Check the path.'],
  ENOENT: ['it does not exist', 'Check the path.'],
  ENAMETOOLONG: ['its name is too long', 'Choose a shorter one.'],
  EMFILE: ['too many files are open', 'Close other programs, or raise the limit of open files.'],
};

/** What was being written, where an error does not know it. */
interface Writing {
  path?: string;
  /** Bytes that the whole file takes. */
  bytes?: number;
}

/** An error of the file system as one that a person can act on, `unavailable`; any other as it is. */
export function explainSystemError(error: unknown, writing: Writing = {}): unknown {
  if (!(error instanceof Error) || error instanceof CotuneError) return error;
  const { code, path: named, dest } = error as NodeJS.ErrnoException & { dest?: string };
  const path = writing.path ?? named;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return diskFull(writing.path ?? dest ?? named, {
      quota: code === 'EDQUOT',
      needed: writing.bytes,
      cause: error,
    });
  if (code === undefined || !Object.hasOwn(reasons, code)) return error;
  const [reason, hint] = reasons[code];
  const what = writing.path === undefined ? 'used' : 'written';
  const why = writing.path !== undefined && code === 'ENOENT' ? 'its folder does not exist' : reason;
  return new CotuneError('unavailable', `${path ?? 'A file'} cannot be ${what}: ${why}.`, hint, {
    cause: error,
  });
}

/** That a disk, or a person's share of it, is full: which, how much was needed, how much there is, what to do. */
export function diskFull(
  path: string | undefined,
  { quota = false, needed, cause }: { quota?: boolean; needed?: number; cause?: unknown },
): CotuneError {
  const free = path === undefined ? undefined : freeBytes(path);
  const figures = [
    needed === undefined ? '' : `${size(needed)} needed`,
    free === undefined ? '' : `${size(free)} free on its disk`,
  ].filter(Boolean);
  return new CotuneError(
    'unavailable',
    `${path ?? 'A file'} cannot be written: ${quota ? 'the disk quota is used up' : 'the disk is full'}${figures.length > 0 ? ` (${figures.join(', ')})` : ''}.`,
    'Free some space there (the folder `cache` of the data folder may always be deleted; `cotune delete` removes runs with their weights), or choose a place on another disk.',
    { cause },
  );
}

/** Bytes that a person may still write at a path that may not exist yet; undefined where the system does not say. */
function freeBytes(path: string): number | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    } catch {
      if (folder === dirname(folder)) return undefined;
    }
  }
}

const size = (bytes: number): string =>
  bytes < 1e6
    ? `${(bytes / 1e3).toFixed(1)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(1)} GB`;
