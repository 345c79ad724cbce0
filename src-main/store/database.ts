import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { CotuneError } from '../../src-shared/errors.ts';
import { diskFull } from '../formats/system-error.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations.ts';

/** The connection that every aggregate's file prepares its statements on. */
export type Db = Database.Database;

/** How long a write waits for another process's write, in milliseconds. */
const busyTimeout = 10_000;

/**
 * Opens the database at `path`, creating or migrating it. The file is only ever added to: a database written by a
 * newer program, or one that cannot be read, is refused as `unavailable` and left as it was.
 */
export function openDatabase(path: string): Db {
  const isNew = !existsSync(path);
  let db: Db | undefined;
  try {
    db = new Database(path, { timeout: busyTimeout });
    checkVersion(db, path);
    if (!isNew) checkReadable(db);
    db.pragma('journal_mode = WAL');
    // With WAL, NORMAL survives a killed process; a power cut may cost the last transactions, never the file.
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
    migrate(db, path);
    // A newer program may have been quicker.
    checkVersion(db, path);
    return db;
  } catch (error) {
    db?.close();
    throw explainStoreError(path, error);
  }
}

/** Reads the root of every table: damage to the header, the schema or a root shows here, deeper damage when read. */
function checkReadable(db: Db): void {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  for (const table of tables) db.prepare(`SELECT * FROM "${table}" LIMIT 1`).get();
}

function checkVersion(db: Db, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version <= migrations.length) return;
  throw new CotuneError(
    'unavailable',
    `The database ${path} was written by a newer version of Cotuning Studio (schema ${version}; this one knows ${migrations.length}).`,
    'Nothing was changed. Update the program, or choose another data folder with --home.',
  );
}

/** An error of SQLite as one that a person can act on; any other error as it is. */
export function explainStoreError(path: string, error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  if (error.code === 'SQLITE_FULL') return diskFull(path, { cause: error });
  const [what, hint] =
    error.code === 'SQLITE_NOTADB' || error.code.startsWith('SQLITE_CORRUPT')
      ? [
          'is damaged or not a database',
          'Nothing was changed. Restore it from a backup, or move it away (with its -wal and -shm files) to start with an empty history; `sqlite3 FILE .recover` saves what can be read.',
        ]
      : error.code.startsWith('SQLITE_BUSY')
        ? [
            'is locked by another program',
            'Close whatever holds it (a backup, a database browser) and try again.',
          ]
        : error.code.startsWith('SQLITE_CANTOPEN') || error.code.startsWith('SQLITE_READONLY')
          ? [
              'cannot be opened for writing',
              'Check the permissions of the data folder, or choose another with --home.',
            ]
          : error.code.startsWith('SQLITE_IOERR')
            ? ['cannot be read or written', 'Check that the disk is healthy.']
            : [
                'cannot be used',
                'Choose another data folder with --home, or restore this one from a backup.',
              ];
  return new CotuneError('unavailable', `The database ${path} ${what} (${error.message}).`, hint, {
    cause: error,
  });
}

/** Whether an error of SQLite may be gone at the next try. */
export const mayPass = (error: unknown): boolean =>
  error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED|FULL|IOERR|NOMEM|CANTOPEN)/.test(error.code);
