import type { Db } from './database.ts';

/** Who has the device: a run or a job, in words. */
export interface DeviceHolder {
  title: string;
  /** The run, where it is one. */
  run: number | null;
}

/**
 * The line for the device: jobs that wait for it, the one that has it, and for each process the queued run that it would begin
 * next. A run has it while its status is `running`. What an owner without a lease left in line does not count.
 */
export function turnStore(db: Db) {
  const alive = 'IN (SELECT owner FROM leases UNION SELECT @owner)';
  const before = `FROM turns WHERE owner ${alive} AND id <> @id
    AND (begun OR (asked_at, id) < (SELECT asked_at, id FROM turns WHERE id = @id))`;
  const running = `FROM runs WHERE status = 'running' AND owner ${alive}`;

  const insert = db.prepare(
    'INSERT INTO turns (owner, title, run_id, asked_at) VALUES (@owner, @title, @run, @askedAt)',
  );
  const remove = db.prepare('DELETE FROM turns WHERE id = ?');
  const known = db.prepare<[number], number>('SELECT 1 FROM turns WHERE id = ?').pluck();
  const isFirst = db
    .prepare<[object], number>(`SELECT NOT EXISTS (SELECT 1 ${before}) AND NOT EXISTS (SELECT 1 ${running})`)
    .pluck();
  const begin = db.prepare('UPDATE turns SET begun = 1 WHERE id = ?');
  const holder = db.prepare<[object], DeviceHolder>(
    `SELECT 'run ' || id AS title, id AS run ${running}
     UNION ALL SELECT title, NULL FROM turns WHERE begun AND owner ${alive} LIMIT 1`,
  );
  const firstBefore = db.prepare<[object], { title: string }>(
    `SELECT title ${before} ORDER BY asked_at, id LIMIT 1`,
  );
  const runOf = db.prepare<[string], { id: number; run: number; askedAt: string }>(
    'SELECT id, run_id AS run, asked_at AS askedAt FROM turns WHERE owner = ? AND run_id IS NOT NULL',
  );

  return {
    /** Puts a job into the line, as of when it was asked for. */
    ask: (owner: string, title: string, askedAt: string): number =>
      Number(insert.run({ owner, title, run: null, askedAt }).lastInsertRowid),
    /** Puts the run that `owner` would begin next into the line, in place of the one before; its turn, or none without a run. */
    standFor(owner: string, next: { id: number; queuedAt: string } | undefined): number | undefined {
      const stands = runOf.get(owner);
      if (stands && stands.run === next?.id && stands.askedAt === next.queuedAt) return stands.id;
      if (stands) remove.run(stands.id);
      if (!next) return undefined;
      const row = { owner, title: `run ${next.id}`, run: next.id, askedAt: next.queuedAt };
      return Number(insert.run(row).lastInsertRowid);
    },
    has: (id: number): boolean => known.get(id) !== undefined,
    /** Whether nothing has the device, and nobody else was before this turn. */
    isFirst: (id: number, owner: string): boolean => isFirst.get({ id, owner }) === 1,
    /** Takes the device for a job where its turn has come. */
    begin: db.transaction((id: number, owner: string): boolean => {
      if (isFirst.get({ id, owner }) !== 1) return false;
      return begin.run(id).changes > 0;
    }).immediate,
    /** What has the device, as `owner` sees it. */
    holder: (owner: string): DeviceHolder | undefined => holder.get({ owner }),
    /** What a turn waits for, in words: what has the device, else who comes first. */
    ahead: (id: number, owner: string): string | undefined =>
      (holder.get({ owner }) ?? firstBefore.get({ id, owner }))?.title,
    leave: (id: number): void => void remove.run(id),
  };
}
