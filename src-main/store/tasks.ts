import type { Task } from '../../src-shared/contract.ts';
import type { Db } from './database.ts';

interface Row extends Omit<Task, 'error' | 'notes'> {
  error: string | null;
  notes: string;
}

const columns = 'id, kind, title, status, done, total, waits_for AS waitsFor, result, error, notes';
const fromRow = (row: Row): Task => ({
  ...row,
  error: row.error === null ? null : JSON.parse(row.error),
  notes: JSON.parse(row.notes),
});

/** Imports and relationship learnings, the newest hundred of them kept. */
export function taskStore(db: Db) {
  const list = db.prepare<[], Row>(`SELECT ${columns} FROM tasks ORDER BY id DESC`);
  const byId = db.prepare<[number], Row>(`SELECT ${columns} FROM tasks WHERE id = ?`);
  const changed = db.prepare<[number], Row>(
    `SELECT ${columns} FROM tasks WHERE revision > ? ORDER BY revision`,
  );
  const running = db.prepare<[], { id: number; owner: string }>(
    "SELECT id, owner FROM tasks WHERE status = 'running'",
  );
  const insert = db.prepare(
    "INSERT INTO tasks (kind, title, status, owner, created_at) VALUES (?, ?, 'running', ?, ?)",
  );
  const forgetOld = db.prepare("DELETE FROM tasks WHERE status <> 'running' AND id <= ? - 100");
  const progress = db.prepare('UPDATE tasks SET done = ?, total = ? WHERE id = ?');
  const waits = db.prepare('UPDATE tasks SET waits_for = ? WHERE id = ?');
  const note = db.prepare('UPDATE tasks SET notes = ? WHERE id = ?');
  const finish = db.prepare(
    "UPDATE tasks SET status = 'finished', result = ?, done = total, waits_for = NULL WHERE id = ? AND status = 'running'",
  );
  const fail = db.prepare(
    "UPDATE tasks SET status = 'failed', error = ?, waits_for = NULL WHERE id = ? AND status = 'running'",
  );

  return {
    /** Newest first. */
    list: (): Task[] => list.all().map(fromRow),
    get(id: number): Task | undefined {
      const row = byId.get(id);
      return row && fromRow(row);
    },
    changedSince: (revision: number): Task[] => changed.all(revision).map(fromRow),
    running: (): { id: number; owner: string }[] => running.all(),
    insert(kind: Task['kind'], title: string, owner: string): number {
      const id = Number(insert.run(kind, title, owner, new Date().toISOString()).lastInsertRowid);
      forgetOld.run(id);
      return id;
    },
    progress: (id: number, done: number, total: number): void => void progress.run(done, total, id),
    /** What a task waits for, in words. */
    waits: (id: number, what: string | null): void => void waits.run(what, id),
    setNotes: (id: number, notes: readonly string[]): void => void note.run(JSON.stringify(notes), id),
    /** Ends a task; nothing happens where another process has ended it already, as its owner's lease was taken. */
    finish: (id: number, result: number): void => void finish.run(result, id),
    fail: (id: number, error: NonNullable<Task['error']>): void => void fail.run(JSON.stringify(error), id),
  };
}
