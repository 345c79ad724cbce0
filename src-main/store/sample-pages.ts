import type { PredictionOrder } from '../../src-shared/contract.ts';
import type { FindingKindName, FindingState, Sample, Split } from '../../src-shared/domain.ts';
import type { Db } from './database.ts';
import { predictionOrders } from './predictions.ts';
import { type Contented, holdsType, sampleOf } from './sample-row.ts';

/** Which samples of a dataset, and in which order. Excluded ones are left out, or are all there is. */
export interface SampleFilter {
  label?: number;
  /** Only tagged texts with an entity of this type. */
  type?: string;
  split?: Split;
  withFindings?: boolean;
  finding?: FindingKindName;
  decision?: FindingState;
  excluded?: boolean;
  group?: string;
  /** By what this run predicted: what it predicted nothing of is left out where one of the three is given, or an order by a number. */
  run?: number;
  outcome?: 'right' | 'wrong';
  predicted?: number;
  order?: PredictionOrder;
  /** Only those with these characters in their text or path. */
  search?: string;
  /** Only some of these ids. */
  among?: readonly number[];
  /** Only these ids, in this order. */
  ranked?: readonly number[];
}

/** A sample of a list: whether a finding names it that nobody has decided about. */
export type ListedSample = Sample & { flagged: boolean };

interface SampleFacts {
  labels: number[];
  splits: Split[];
  flagged: boolean[];
  predicted: number[];
}

const columns =
  's.id, s.dataset_id AS dataset, s.path, s.label, s.split, s.width, s.height, s.bytes, s.hash, s.perceptual_hash AS perceptualHash, s.content';

const namedBy = (condition: string): string =>
  `(EXISTS (SELECT 1 FROM findings WHERE sample_id = s.id${condition})
    OR EXISTS (SELECT 1 FROM findings WHERE other_id = s.id${condition}))`;

/** Pages of a dataset's samples. */
export function samplePages(db: Db) {
  const listed = db.prepare<[string], Contented<Sample & { flagged: 0 | 1 }>>(
    `SELECT ${columns}, ${namedBy(" AND state = 'open'")} AS flagged
     FROM json_each(?) wanted JOIN samples s ON s.id = wanted.value ORDER BY wanted.key`,
  );
  const byIds = (ids: readonly number[]): ListedSample[] =>
    listed.all(JSON.stringify(ids)).map((row) => ({ ...sampleOf(row), flagged: row.flagged === 1 }));

  const facts = db.prepare<
    [{ ids: string; run: number | null }],
    { label: number; split: Split; flagged: 0 | 1; predicted: number | null }
  >(
    `SELECT s.label, s.split, ${namedBy(" AND state = 'open'")} AS flagged,
     (SELECT p.predicted FROM predicted_splits t JOIN predictions p ON p.set_id = t.id AND p.sample_id = s.id
      WHERE t.run_id = @run AND t.whole = 1 LIMIT 1) AS predicted
     FROM json_each(@ids) wanted JOIN samples s ON s.id = wanted.value ORDER BY wanted.key`,
  );

  const groups = db.prepare<[number, number], { name: string; images: number }>(
    `SELECT group_name AS name, count(*) AS images FROM samples
     WHERE dataset_id = ? AND present = 1 AND excluded = 0 AND group_name IS NOT NULL
     GROUP BY group_name ORDER BY images DESC, name LIMIT ?`,
  );

  return {
    /** The largest groups, at most so many. */
    groups: (dataset: number, limit: number) => groups.all(dataset, limit),
    /** What a map of samples tells of each, in the order of the ids; `predicted` by a run, -1 where it said nothing. */
    facts(ids: readonly number[], run: number | null): SampleFacts {
      const rows = facts.all({ ids: JSON.stringify(ids), run });
      return {
        labels: rows.map(({ label }) => label),
        splits: rows.map(({ split }) => split),
        flagged: rows.map(({ flagged }) => flagged === 1),
        predicted: rows.map(({ predicted }) => predicted ?? -1),
      };
    },
    /** Samples by their ids, in that order; without those that are not there. */
    byIds,
    /** One page and how many there are in all; by class, split and path where no other order is asked for. */
    page(
      dataset: number,
      filter: SampleFilter,
      offset: number,
      limit: number,
    ): { total: number; samples: ListedSample[] } {
      const { finding, decision, run, predicted, order = 'class', among, ranked } = filter;
      const where = [
        's.dataset_id = @dataset',
        's.present = 1',
        `s.excluded = ${Number(filter.excluded ?? false)}`,
      ];
      if (filter.label !== undefined) where.push('s.label = @label');
      if (filter.type !== undefined) where.push(holdsType("s.content -> 'tags'"));
      if (filter.split !== undefined) where.push('s.split = @split');
      if (filter.group !== undefined) where.push('s.group_name = @group');
      const named = [
        ...(finding === undefined ? [] : ['kind = @finding']),
        ...(decision === undefined ? [] : ['state = @decision']),
      ];
      if (filter.withFindings || named.length > 0)
        where.push(namedBy(named.map((one) => ` AND ${one}`).join('')));
      if (filter.search)
        where.push(
          "(s.path LIKE @search ESCAPE '\\' OR json_extract(s.content, '$.text') LIKE @search ESCAPE '\\')",
        );
      if (among) where.push('s.id IN (SELECT value FROM json_each(@among))');
      const isPredicted =
        run !== undefined && (filter.outcome || predicted !== undefined || order !== 'class');
      if (filter.outcome) where.push(`p.predicted ${filter.outcome === 'right' ? '=' : '<>'} p.label`);
      if (predicted !== undefined) where.push('p.predicted = @predicted');
      // From what the run predicted to the images, in this order: the other way leads through all images of the dataset.
      const rank = ranked ? 'json_each(@ranked) r CROSS JOIN ' : '';
      if (ranked) where.push('r.value = s.id');
      const from = isPredicted
        ? `${rank}predicted_splits t CROSS JOIN predictions p ON p.set_id = t.id CROSS JOIN samples s ON s.id = p.sample_id
           WHERE t.run_id = @run AND t.whole = 1 AND ${where.join(' AND ')}`
        : `${rank}samples s WHERE ${where.join(' AND ')}`;
      const values = {
        ...filter,
        dataset,
        among: among && JSON.stringify(among),
        ranked: ranked && JSON.stringify(ranked),
        search: filter.search && `%${filter.search.replace(/[\\%_]/g, '\\$&')}%`,
        offset,
        limit,
      };
      const total = db
        .prepare<[object], number>(`SELECT count(*) FROM ${from}`)
        .pluck()
        .get(values) as number;
      const plain = order === 'class' || !isPredicted ? 's.label, s.split, s.path' : predictionOrders[order];
      const sorted = ranked ? 'r.key' : plain;
      const ids = db
        .prepare<[object], number>(`SELECT s.id FROM ${from} ORDER BY ${sorted} LIMIT @limit OFFSET @offset`)
        .pluck()
        .all(values) as number[];
      return { total, samples: byIds(ids) };
    },
  };
}
