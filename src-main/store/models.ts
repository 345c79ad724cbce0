import type { Calibration, Measurement, Model } from '../../src-shared/domain.ts';
import type { Db } from './database.ts';

type Facts = Omit<Model, 'id' | 'name' | 'hash' | 'addedAt'>;
interface Row {
  id: number;
  name: string;
  hash: string;
  facts: string;
  added_at: string;
}

function fromRow(row: Row): Model {
  // Models of before there were notes have none.
  const facts: Facts = { notes: [], ...JSON.parse(row.facts) };
  return { id: row.id, name: row.name, hash: row.hash, ...facts, addedAt: row.added_at };
}

/** Registered pre-trained networks; their weights are files named by hash. */
export function modelStore(db: Db) {
  const list = db.prepare<[], Row>('SELECT * FROM models WHERE deleted_at IS NULL ORDER BY name');
  const byId = db.prepare<[number], Row>('SELECT * FROM models WHERE id = ? AND deleted_at IS NULL');
  const byName = db.prepare<[string], Row>('SELECT * FROM models WHERE name = ? AND deleted_at IS NULL');
  const byHash = db.prepare<[string], Row>(
    'SELECT * FROM models WHERE hash = ? ORDER BY deleted_at IS NULL DESC, id DESC LIMIT 1',
  );
  const insert = db.prepare(
    'INSERT INTO models (name, hash, facts, added_at) VALUES (@name, @hash, @facts, @addedAt)',
  );
  const inUse = db
    .prepare<[number, number], number>(
      'SELECT 1 FROM runs WHERE model_id = ? UNION ALL SELECT 1 FROM relationships WHERE model_id = ? LIMIT 1',
    )
    .pluck();
  const setCalibration = db.prepare(
    "UPDATE models SET facts = json_set(facts, '$.calibration', json(?)) WHERE hash = ?",
  );
  const setMeasurements = db.prepare(
    "UPDATE models SET facts = json_set(facts, '$.measurements', json(?)) WHERE hash = ?",
  );
  const hide = db.prepare('UPDATE models SET deleted_at = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM models WHERE id = ?');
  const hashUsed = db
    .prepare<[string], number>('SELECT 1 FROM models WHERE hash = ? AND deleted_at IS NULL LIMIT 1')
    .pluck();
  const one = (row: Row | undefined): Model | undefined => row && fromRow(row);

  return {
    list: (): Model[] => list.all().map(fromRow),
    get: (id: number): Model | undefined => one(byId.get(id)),
    getByName: (name: string): Model | undefined => one(byName.get(name)),
    /** The model with these weights, a registered one first, else one that was deleted. */
    getByHash: (hash: string): Model | undefined => one(byHash.get(hash)),
    insert({ name, hash, addedAt, ...facts }: Omit<Model, 'id'>): number {
      return Number(insert.run({ name, hash, addedAt, facts: JSON.stringify(facts) }).lastInsertRowid);
    },
    /** The temperature belongs to the weights: all models that have them get it. */
    setCalibration: (hash: string, calibration: Calibration): void => {
      setCalibration.run(JSON.stringify(calibration), hash);
    },
    /** Keeps a measurement with all models that have these weights, in the place of the same machine's last one. */
    keepMeasurement: db.transaction((hash: string, measurement: Measurement): void => {
      const others = (one(byHash.get(hash))?.measurements ?? []).filter(
        ({ machine }) => machine !== measurement.machine,
      );
      setMeasurements.run(JSON.stringify([measurement, ...others]), hash);
    }).immediate,
    /** Removes a model; one that runs or relationships refer to is only hidden. */
    delete: (id: number): void => {
      if (inUse.get(id, id)) hide.run(new Date().toISOString(), id);
      else remove.run(id);
    },
    /** Whether a registered model has these weights. */
    usesHash: (hash: string): boolean => hashUsed.get(hash) !== undefined,
  };
}
