import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { CotuneError } from '../../src-shared/errors.ts';
import { syncFolder } from '../formats/write-whole.ts';
import { migrations } from './migrations.ts';

/** Copies from before upgrades that are kept: the one before last helps where a fault shows only after the next upgrade. */
const copiesKept = 2;

/** How long a process waits for another that is upgrading the same file, in milliseconds: copying gigabytes takes a while. */
const upgradeTimeout = 10 * 60_000;

/**
 * Brings the schema to the newest version, all steps or none; two processes may race to do it. What was there before stays
 * beside it as `NAME.before-VERSION.sqlite`. Errors: SQLite's, or `failed` where a step would leave a reference without its
 * row; in either case the file is as it was.
 */
export function migrate(db: Database.Database, path: string, steps = migrations): void {
  if ((db.pragma('user_version', { simple: true }) as number) >= steps.length) return;
  const timeout = db.pragma('busy_timeout', { simple: true });
  db.pragma(`busy_timeout = ${upgradeTimeout}`);
  // Inside a transaction this pragma does nothing; enforced, a rebuilt table would take its children with it.
  db.pragma('foreign_keys = OFF');
  try {
    db.transaction(() => {
      const from = db.pragma('user_version', { simple: true }) as number;
      // Another process was quicker.
      if (from >= steps.length) return;
      if (from > 0) copyAside(path, steps.length);
      for (const step of steps.slice(from)) {
        if (typeof step === 'string') db.exec(step);
        else step(db);
      }
      checkReferences(db, path);
      db.pragma(`user_version = ${steps.length}`);
    }).immediate();
  } finally {
    db.pragma('foreign_keys = ON');
    db.pragma(`busy_timeout = ${timeout}`);
  }
}

const copyName = (path: string): string => basename(path, '.sqlite');

/**
 * Copies what is committed, whole and on the disk or not at all. The caller holds the write lock and has written nothing: a
 * second connection reads what was there before.
 */
function copyAside(path: string, before: number): void {
  const folder = dirname(path);
  const copy = join(folder, `${copyName(path)}.before-${before}.sqlite`);
  const temporary = `${copy}.tmp`;
  // Left by a process that was killed while it copied.
  rmSync(temporary, { force: true });
  const reader = new Database(path, { readonly: true });
  try {
    reader.prepare('VACUUM INTO ?').run(temporary);
    const file = openSync(temporary, 'r+');
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, copy);
    syncFolder(folder);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    reader.close();
  }
  for (const old of copiesOf(path).slice(copiesKept)) rmSync(join(folder, old), { force: true });
}

/** Names of the copies from before upgrades, newest first. */
function copiesOf(path: string): string[] {
  const versionOf = (name: string): number => {
    const [start, version] = name.split('.before-');
    const parsed = /^(\d+)\.sqlite$/.exec(version ?? '')?.[1];
    return start === copyName(path) && parsed !== undefined ? Number(parsed) : 0;
  };
  return readdirSync(dirname(path))
    .filter((name) => versionOf(name) > 0)
    .sort((a, b) => versionOf(b) - versionOf(a));
}

function checkReferences(db: Database.Database, path: string): void {
  const broken = db.pragma('foreign_key_check') as { table: string; parent: string }[];
  if (broken.length === 0) return;
  const [{ table, parent }] = broken;
  throw new CotuneError(
    'failed',
    `The database ${path} cannot be upgraded: ${broken.length} references, the first from ${table} to ${parent}, would lead nowhere.`,
    'Nothing was changed. Use the version of the program that wrote it, and report this.',
  );
}
