import type { ListedRelationship, Relationship } from '../../src-shared/domain.ts';
import type { Db } from './database.ts';

type Facts = Omit<Relationship, 'id' | 'key' | 'datasetId' | 'modelId' | 'createdAt'>;
interface Row {
  id: number;
  key: string;
  dataset_id: number | null;
  model_id: number | null;
  facts: string;
  created_at: string;
}

export type NewRelationship = Omit<Relationship, 'id' | 'createdAt'> & {
  /** Row-major [targets, sources]. */
  matrix: Float32Array;
};

// A deleted dataset or model is shown as none, as if its row were gone.
const select = `SELECT r.id, r.key, d.id AS dataset_id, m.id AS model_id, r.facts, r.created_at FROM relationships r
  LEFT JOIN datasets d ON d.id = r.dataset_id AND d.deleted_at IS NULL
  LEFT JOIN models m ON m.id = r.model_id AND m.deleted_at IS NULL`;

function fromRow(row: Row): Relationship {
  const facts: Facts = JSON.parse(row.facts);
  // Of before there were fits: what was called fitted had been typed.
  if (facts.temperatureSource === 'fitted' && !facts.calibration) facts.temperatureSource = 'typed';
  return {
    id: row.id,
    key: row.key,
    datasetId: row.dataset_id,
    modelId: row.model_id,
    ...facts,
    // Of before they were kept.
    notes: facts.notes ?? [],
    createdAt: row.created_at,
  };
}

/** Learned category relationships, one per key (the key names every input). */
export function relationshipStore(db: Db) {
  const list = db.prepare<[], Row>(`${select} ORDER BY r.id DESC`);
  const byId = db.prepare<[number], Row>(`${select} WHERE r.id = ?`);
  const byKey = db.prepare<[string], Row>(`${select} WHERE r.key = ?`);
  const matrix = db.prepare<[number], Buffer>('SELECT matrix FROM relationships WHERE id = ?').pluck();
  const insert = db.prepare(
    `INSERT INTO relationships (key, dataset_id, model_id, facts, matrix, created_at)
     VALUES (@key, @datasetId, @modelId, @facts, @matrix, @createdAt)
     ON CONFLICT (key) DO UPDATE SET dataset_id = excluded.dataset_id, model_id = excluded.model_id,
       matrix = iif(length(matrix) = length(excluded.matrix), matrix, excluded.matrix)`,
  );
  const one = (row: Row | undefined): Relationship | undefined => row && fromRow(row);

  return {
    /** Newest first. */
    list: (): ListedRelationship[] =>
      list.all().map((row) => {
        const { targetClasses: _, sourceClasses: __, grid: ___, notes: ____, ...listed } = fromRow(row);
        return listed;
      }),
    get: (id: number): Relationship | undefined => one(byId.get(id)),
    getByKey: (key: string): Relationship | undefined => one(byKey.get(key)),
    /** Row-major float32 [targets, sources]. */
    matrix(id: number): Float32Array | undefined {
      const blob = matrix.get(id) as Buffer | undefined;
      // A copy: a blob may start at an address that float32 cannot.
      return blob && new Float32Array(new Uint8Array(blob).buffer);
    },
    /** Stores a relationship; the same key again keeps the first matrix, if it is whole, and its id. */
    insert({ key, datasetId, modelId, matrix: values, ...facts }: NewRelationship): Relationship {
      insert.run({
        key,
        datasetId,
        modelId,
        facts: JSON.stringify(facts),
        matrix: Buffer.from(values.buffer, values.byteOffset, values.byteLength),
        createdAt: new Date().toISOString(),
      });
      return fromRow(byKey.get(key)!);
    },
  };
}
