import { CotuneError } from '../../src-shared/errors.ts';

const reasons: Record<string, [string, string]> = {
  EACCES: ['permission denied', 'Change its permissions, or choose another place.'],
  EPERM: ['the system does not allow it', 'Change its permissions, or choose another place.'],
  EROFS: ['the disk is read-only', 'Choose another place.'],
  ENOSPC: ['the disk is full', 'Free some space, or choose another place.'],
  EDQUOT: ['the disk quota is used up', 'Free some space, or choose another place.'],
  EISDIR: ['it is a folder', 'Name a file.'],
  ENOENT: ['it does not exist', 'Check the path.'],
  ENAMETOOLONG: ['its name is too long', 'Choose a shorter one.'],
  EMFILE: ['too many files are open', 'Close other programs, or raise the limit of open files.'],
};

/** An error of the file system as one that a person can act on; any other as it is. */
export function explainSystemError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || !Object.hasOwn(reasons, code)) return error;
  const [reason, hint] = reasons[code];
  return new CotuneError('unavailable', `${path ?? 'A file'} cannot be used: ${reason}.`, hint, {
    cause: error,
  });
}
