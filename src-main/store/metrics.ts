import type { MetricSeries } from '../../src-shared/contract.ts';
import type { Db } from './database.ts';

/** Values of runs by series and step. */
export function metricStore(db: Db) {
  const findSeries = db.prepare<[string], number>('SELECT id FROM series WHERE name = ?').pluck();
  const addSeries = db.prepare('INSERT INTO series (name) VALUES (?)');
  const insert = db.prepare(
    'INSERT OR REPLACE INTO metrics (run_id, step, series_id, value) VALUES (?, ?, ?, ?)',
  );
  const after = db
    .prepare<[number, number], [string, number, number | null]>(
      `SELECT name, step, value FROM metrics JOIN series ON series.id = series_id
       WHERE run_id = ? AND step > ? ORDER BY step`,
    )
    .raw();
  const discard = db.prepare('DELETE FROM metrics WHERE run_id = ? AND step > ?');

  /** Looked up every time: one that was kept in memory could be of a transaction that was undone. */
  const seriesId = (name: string): number => {
    const known = findSeries.get(name);
    return known ?? Number(addSeries.run(name).lastInsertRowid);
  };

  return {
    /** Stores values at a step, replacing what was there. Immediate: it reads first. */
    insert: db.transaction((run: number, step: number, values: Record<string, number>): void => {
      for (const [name, value] of Object.entries(values)) {
        insert.run(run, step, seriesId(name), Number.isFinite(value) ? value : null);
      }
    }).immediate,
    /** Every series of a run after a step, in step order; values that were not numbers are left out. */
    after(run: number, step: number): MetricSeries {
      const result: MetricSeries = {};
      for (const [name, at, value] of after.iterate(run, step)) {
        if (value === null) continue;
        let points = result[name];
        if (!points) {
          points = [];
          result[name] = points;
        }
        points.push({ step: at, value });
      }
      return result;
    },
    /** Forgets what came after a step: a resumed run writes it again. */
    discardAfter: (run: number, step: number): void => void discard.run(run, step),
  };
}
