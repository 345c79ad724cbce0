import type { Finding, FindingKindName, FindingState, Sample, SampleIssue } from '../../src-shared/domain.ts';
import type { Db } from './database.ts';
import { type Contented, sampleOf } from './sample-row.ts';

/** What was noticed about a file, an image or a pair; the greatest score is shown first. */
export interface NewFinding extends SampleIssue {
  /** Of a likely wrong label; images by their ids. */
  label?: WrongLabel;
}

type WrongLabel = Omit<NonNullable<Finding['label']>, 'nearestGiven' | 'nearestSuggested'> &
  Record<'nearestGiven' | 'nearestSuggested', number | null> & {
    /** The network by which a run found it by itself; left out where somebody asked for a check. */
    unasked?: string;
  };

export interface FindingFilter {
  kind?: FindingKindName;
  state?: FindingState;
  /** Only those that name this image. */
  sample?: number;
  /** Only pairs whose images are of different splits. */
  leaks?: boolean;
  /** Only those after this one, in the order of the list. */
  after?: number;
}

interface Row extends Omit<Finding, 'sample' | 'otherSample' | 'leak' | 'label'> {
  label: string | null;
  nearestGiven: string | null;
  nearestSuggested: string | null;
  leak: 0 | 1;
  sample: string | null;
  otherSample: string | null;
}

const sampleJson = (table: string): string =>
  `CASE WHEN ${table}.id IS NULL THEN NULL ELSE json_object('id', ${table}.id, 'dataset', ${table}.dataset_id, 'path', ${table}.path,
   'label', ${table}.label, 'split', ${table}.split, 'width', ${table}.width, 'height', ${table}.height, 'bytes', ${table}.bytes,
   'hash', ${table}.hash, 'perceptualHash', ${table}.perceptual_hash, 'content', ${table}.content) END`;

const select = `SELECT f.id, f.kind, f.path, f.other, f.detail, f.score, f.state, f.leak, f.label,
  ${sampleJson('s')} AS sample, ${sampleJson('o')} AS otherSample,
  ${sampleJson('g')} AS nearestGiven, ${sampleJson('h')} AS nearestSuggested
  FROM findings f LEFT JOIN samples s ON s.id = f.sample_id LEFT JOIN samples o ON o.id = f.other_id
  LEFT JOIN samples g ON g.id = f.label ->> 'nearestGiven' LEFT JOIN samples h ON h.id = f.label ->> 'nearestSuggested'`;

/** Leaks first, then by score. */
const order = 'f.kind, f.leak DESC, f.score DESC, f.id';

const fromRow = ({
  leak,
  sample,
  otherSample,
  label,
  nearestGiven,
  nearestSuggested,
  ...row
}: Row): Finding => ({
  ...row,
  leak: leak === 1,
  sample: parsed(sample),
  otherSample: parsed(otherSample),
  label:
    label === null
      ? null
      : {
          ...withoutFinder(JSON.parse(label)),
          nearestGiven: parsed(nearestGiven),
          nearestSuggested: parsed(nearestSuggested),
        },
});
const withoutFinder = ({ unasked: _, ...label }: WrongLabel): WrongLabel => label;
const parsed = (json: string | null): Sample | null =>
  json === null ? null : sampleOf<Contented<Sample>>(JSON.parse(json));

/** What was found in datasets, with what a person decided about it. */
export function findingStore(db: Db) {
  const remove = db.prepare(
    'DELETE FROM findings WHERE dataset_id = ? AND kind IN (SELECT value FROM json_each(?))',
  );
  const removeOf = db.prepare(
    'DELETE FROM findings WHERE dataset_id = ? AND kind = ? AND sample_id IN (SELECT value FROM json_each(?))',
  );
  // Left to choose, SQLite reads all samples of the dataset for each: other indexes hold everything that is asked for.
  const idAt = (path: string) =>
    `(SELECT id FROM samples INDEXED BY samples_by_path WHERE dataset_id = @dataset AND path = ${path} AND present = 1)`;
  const insert = db.prepare(
    `INSERT INTO findings (dataset_id, kind, path, other, sample_id, other_id, detail, score, label)
     VALUES (@dataset, @kind, @path, @other, ${idAt('@path')}, ${idAt('@other')}, @detail, @score, @label)`,
  );
  // What a check found of an image that is gone.
  const removeStale = db.prepare(
    'DELETE FROM findings WHERE dataset_id = @dataset AND sample_id IN (SELECT id FROM samples WHERE dataset_id = @dataset AND present = 0)',
  );
  const findLeaks = db.prepare(
    `UPDATE findings SET leak = coalesce((SELECT s.split <> o.split FROM samples s JOIN samples o ON o.id = findings.other_id
     WHERE s.id = findings.sample_id), 0) WHERE dataset_id = ? AND other_id IS NOT NULL`,
  );
  // A decision is about what it was made for; an image that is left out raises no question, one that got another class no doubt
  // about the old one, and texts whose labels agree no longer contradict each other.
  const decide = db.prepare(
    `UPDATE findings AS f SET state = CASE
       WHEN EXISTS (SELECT 1 FROM edits e WHERE e.dataset_id = f.dataset_id AND e.target = f.path AND e.action = 'keep'
         AND e.undone_at IS NULL AND e.problem IS NULL AND e.finding = f.kind AND e.other IS f.other) THEN 'kept'
       WHEN EXISTS (SELECT 1 FROM samples s WHERE s.id IN (f.sample_id, f.other_id) AND s.excluded = 1) THEN 'done'
       WHEN EXISTS (SELECT 1 FROM edits e WHERE e.dataset_id = f.dataset_id AND e.target IN (f.path, f.other)
         AND e.action IN ('relabel', 'move') AND e.undone_at IS NULL AND e.problem IS NULL
         AND (e.finding = f.kind OR (e.action = 'relabel' AND f.kind = 'wrong-label'))) THEN 'done'
       WHEN f.kind = 'label-conflict' AND EXISTS (SELECT 1 FROM samples s JOIN samples o ON o.id = f.other_id WHERE s.id = f.sample_id
         AND s.label = o.label AND s.content -> 'tags' IS o.content -> 'tags') THEN 'done'
       ELSE 'open' END
     WHERE dataset_id = ?`,
  );
  const showBeside = db.prepare(
    `UPDATE findings SET label = json_patch(label, @images) WHERE dataset_id = @dataset AND kind = 'wrong-label' AND sample_id = @sample`,
  );
  const others = db
    .prepare<[number, string], number>(
      `SELECT EXISTS (SELECT 1 FROM findings WHERE dataset_id = ? AND kind = 'wrong-label' AND label ->> 'unasked' IS NOT ?)`,
    )
    .pluck();
  const openSamples = db
    .prepare<[object], number>(
      `SELECT sample_id FROM findings WHERE dataset_id = @dataset AND kind = @kind AND state = 'open' AND sample_id IS NOT NULL
       UNION SELECT other_id FROM findings WHERE dataset_id = @dataset AND kind = @kind AND state = 'open' AND other_id IS NOT NULL`,
    )
    .pluck();
  const one = db.prepare<[number, number], Row>(`${select} WHERE f.dataset_id = ? AND f.id = ?`);
  const pairs = db.prepare<[number], SampleIssue>(
    `SELECT kind, path, other, detail FROM findings WHERE dataset_id = ? AND kind IN ('exact-duplicate', 'near-duplicate')`,
  );
  const ofKind = db.prepare<[number, string], SampleIssue>(
    'SELECT kind, path, other, detail, score FROM findings WHERE dataset_id = ? AND kind = ? ORDER BY id',
  );

  function insertAll(dataset: number, found: readonly NewFinding[]): void {
    for (const { kind, path, other = null, detail, score = 0, label } of found)
      insert.run({
        dataset,
        kind,
        path,
        other,
        detail,
        score,
        label: label ? JSON.stringify(label) : null,
      });
  }

  return {
    /** Makes `found` the findings of some kinds. Call inside a transaction, after the samples are replaced and before `decide`. */
    replace(dataset: number, kinds: readonly FindingKindName[], found: readonly NewFinding[]): void {
      remove.run(dataset, JSON.stringify(kinds));
      insertAll(dataset, found);
    },
    /** Makes `found` the findings of a kind about some images; those about others stay. Otherwise as `replace`. */
    replaceOf(
      dataset: number,
      kind: FindingKindName,
      samples: readonly number[],
      found: readonly NewFinding[],
    ): void {
      removeOf.run(dataset, kind, JSON.stringify(samples));
      insertAll(dataset, found);
    },
    /** The same where anything differs from what there is: a decision may be on its way for findings that stay. */
    replaceIfOthers(dataset: number, kinds: readonly FindingKindName[], found: readonly NewFinding[]): void {
      const text = (findings: readonly NewFinding[]) =>
        JSON.stringify(
          findings.map(({ kind, path, other = null, detail }) => [kind, path, other, detail]).sort(),
        );
      if (text(kinds.flatMap((kind) => ofKind.all(dataset, kind))) !== text(found))
        this.replace(dataset, kinds, found);
    },
    /** Names the images that are shown beside one whose label is doubted. */
    showBeside(
      dataset: number,
      sample: number,
      images: Pick<WrongLabel, 'nearestGiven' | 'nearestSuggested'>,
    ): void {
      const known = Object.entries(images).filter(([, image]) => image !== null);
      showBeside.run({ dataset, sample, images: JSON.stringify(Object.fromEntries(known)) });
    },
    /** Whether likely wrong labels stand that a person asked for, or that were found by another network. */
    areByOthers: (dataset: number, network: string): boolean => others.get(dataset, network) === 1,
    /** Brings leaks and states up to what samples and edits are now. */
    decide(dataset: number): void {
      removeStale.run({ dataset });
      findLeaks.run(dataset);
      decide.run(dataset);
    },
    get(dataset: number, id: number): Finding | undefined {
      const row = one.get(dataset, id);
      return row && fromRow(row);
    },
    /** Images that open findings of a kind name. */
    openSamples: (dataset: number, kind: FindingKindName): number[] => openSamples.all({ dataset, kind }),
    /** Duplicates by their files' content or look, whatever was decided about them. */
    duplicates: (dataset: number): SampleIssue[] => pairs.all(dataset),
    ofKind: (dataset: number, kind: FindingKindName): SampleIssue[] => ofKind.all(dataset, kind),

    /** One page, kind by kind, leaks and high scores first, and how many there are in all. */
    page(
      dataset: number,
      filter: FindingFilter,
      offset: number,
      limit: number,
    ): { total: number; findings: Finding[] } {
      const where = ['f.dataset_id = @dataset'];
      if (filter.kind !== undefined) where.push('f.kind = @kind');
      if (filter.state !== undefined) where.push('f.state = @state');
      if (filter.sample !== undefined) where.push('@sample IN (f.sample_id, f.other_id)');
      if (filter.leaks) where.push('f.leak = 1');
      const { kind, state, sample, after } = filter;
      const values = { dataset, kind, state, sample, after, offset, limit };
      const all = where.join(' AND ');
      const total = db
        .prepare<[object], number>(`SELECT count(*) FROM findings f WHERE ${all}`)
        .pluck()
        .get(values) as number;
      const rest =
        after === undefined
          ? ''
          : ` AND (f.kind, -f.leak, -f.score, f.id) >
             (SELECT kind, -leak, -score, id FROM findings WHERE id = @after)`;
      const rows = db
        .prepare<[object], Row>(`${select} WHERE ${all}${rest} ORDER BY ${order} LIMIT @limit OFFSET @offset`)
        .all(values);
      return { total, findings: rows.map(fromRow) };
    },
  };
}
