import type { Db } from './database.ts';

/** Remarks of a run that a person should read; each is kept once. */
export function runNoteStore(db: Db) {
  const list = db
    .prepare<[number], string>('SELECT text FROM run_notes WHERE run_id = ? ORDER BY id')
    .pluck();
  const insert = db.prepare('INSERT OR IGNORE INTO run_notes (run_id, text) VALUES (?, ?)');
  return {
    list: (run: number): string[] => list.all(run) as string[],
    insert: (run: number, text: string): void => void insert.run(run, text),
  };
}
