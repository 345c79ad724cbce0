import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRows } from '../../src-main/formats/npy-rows.ts';
import { migrate } from '../../src-main/store/migrate.ts';
import { migrations } from '../../src-main/store/migrations.ts';
import { openStore } from '../../src-main/store/store.ts';
import { RunConfig, type SampleIssue } from '../../src-shared/domain.ts';
import { drain } from '../drain.ts';
import { copyHome, homeSchemas } from '../homes.ts';
import { usualSight } from '../usual-sight.ts';

type Row = Record<string, unknown>;

/** Names that tables have now. */
const renamed: Record<string, string> = { sweeps: 'experiments' };

/** A method with the options of terms that came later. */
const withLaterOptions = (method: Row[]): Row[] =>
  method.map((term) =>
    term.name === 'cotuning' && !('warmup' in term) ? { warmup: 0, sourceHeadRate: 1, ...term } : term,
  );

const inConfig = (text: string, change: (config: Row) => Row): string =>
  JSON.stringify(change(JSON.parse(text)));

/**
 * What steps change on purpose: the columns that an old row has after the upgrade, by table. A column that a step rewrites,
 * renames or drops is named here with the values that it must have; all others must be as they were.
 */
const onPurpose: Record<string, (row: Row, schema: number) => Row> = {
  // The counter of changes may advance with any step; the configuration became one of parts, later with those that say how
  // pictures become input; a phase got another name.
  runs: ({ revision: _, trainer: __, config, phase, sweep_id, ...rest }, schema) => {
    const row = schema > 6 ? rest : { ...rest, experiment_id: sweep_id };
    if (schema > 4)
      return {
        task: 'image-classification',
        ...row,
        config: inConfig(config as string, (parts) => ({
          ...parts,
          method: withLaterOptions(parts.method as Row[]),
          ...(schema <= 7 && usualSight),
        })),
        phase,
      };
    const { method, tradeOff, approach, momentum, weightDecay, decayAt, decayFactor, ...others } = JSON.parse(
      config as string,
    );
    const term =
      method === 'cotuning' ? { name: method, tradeOff, approach, shuffled: false } : { name: method };
    const parts = {
      method: withLaterOptions([term]),
      extras: [],
      optimizer: { name: 'sgd', momentum, weightDecay },
      schedule: { name: 'step', decayAt, decayFactor },
    };
    return {
      ...row,
      config: JSON.stringify({ ...others, ...parts, ...usualSight }),
      phase: phase === 'relationship' ? 'prepare' : phase,
    };
  },
  sweeps: ({ plan, ...row }) => ({
    ...row,
    plan: JSON.stringify({ ...JSON.parse(plan as string), search: null, baseline: false }),
  }),
  // Findings are rows; what a person said about folders is part of what they said about a dataset.
  datasets: ({ issues: _, layout, ...row }) => ({
    // Before there were tasks all was of images.
    task: 'image-classification',
    // Nothing was edited before there were edits.
    imported_classes: row.classes,
    edits_hash: null,
    ...row,
    choice: layout ? JSON.stringify({ layout: JSON.parse(layout as string) }) : null,
  }),
  samples: (row) => ({ imported_label: row.label, imported_split: row.split, excluded: 0, ...row }),
  sqlite_sequence: ({ name, ...row }) => ({ name: renamed[name as string] ?? name, ...row }),
  tasks: ({ revision: _, ...row }) => row,
  counter: () => ({}),
  topics: ({ name }) => ({ name }),
  // Probabilities are in files; run and split are said once for all predictions of a split.
  predictions: ({ sample_id, label, predicted }) => ({ sample_id, label, predicted }),
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-upgrade-'));
  path = join(folder, 'cotune.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read<T>(file: string, work: (db: Database.Database) => T): T {
  const db = new Database(file);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const tablesOf = (db: Database.Database): Map<string, Row[]> =>
  new Map(
    (db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[]).map(
      (name) => [name, db.prepare(`SELECT * FROM "${name}"`).all() as Row[]],
    ),
  );

const schemaOf = (file: string) =>
  read(file, (db) => db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all());

function makeOld(version: number): void {
  read(path, (db) => {
    for (const step of migrations.slice(0, version)) typeof step === 'string' ? db.exec(step) : step(db);
    db.pragma(`user_version = ${version}`);
  });
}

describe.each(homeSchemas)('a home of schema %i', (schema) => {
  test('is upgraded with every row as it was, but for what a step changes on purpose', () => {
    copyHome(schema, folder);
    const before = read(path, tablesOf);
    openStore(path).close();
    const after = read(path, tablesOf);
    expect(read(path, (db) => db.pragma('foreign_key_check'))).toEqual([]);
    for (const [table, rows] of before) {
      const expected = rows.map((row) => onPurpose[table]?.(row, schema) ?? row);
      // Tables that are new count from one of their own.
      const isNew = ({ name }: Row) =>
        table === 'sqlite_sequence' &&
        ['findings', 'edits'].includes(name as string) &&
        !rows.some((row) => row.name === name);
      expect(
        after.get(renamed[table] ?? table)?.filter((row) => !isNew(row)),
        table,
      ).toEqual(expected.map((row) => expect.objectContaining(row)));
    }
    const found = (after.get('findings') ?? []).map(({ dataset_id, kind, path, other, detail }) =>
      JSON.stringify([dataset_id, kind, path, other, detail]),
    );
    if (!before.has('findings')) {
      const issues = before
        .get('datasets')!
        .flatMap(({ id, issues }) =>
          (JSON.parse(issues as string) as SampleIssue[]).map(({ kind, path, other = null, detail }) =>
            JSON.stringify([id, kind, path, other, detail]),
          ),
        );
      expect(issues.length).toBeGreaterThan(0);
      expect(found).toEqual(issues);
    }
    // A fixture without rows would prove nothing.
    const filled = [...before].filter(([name, rows]) => rows.length > 0 && !name.startsWith('sqlite_'));
    expect(filled.length).toBeGreaterThanOrEqual(14);
  });

  test('answers as one of today: runs with whole settings, curves, predictions, relationships', () => {
    copyHome(schema, folder);
    const original = join(folder, 'original');
    mkdirSync(original);
    copyHome(schema, original);
    const store = openStore(path);
    const runs = store.runs.list({});
    expect(runs).toHaveLength(13);
    for (const run of runs) {
      RunConfig.parse(run.config);
      if (run.status !== 'finished') continue;
      expect(store.metrics.after(run.id, 0).loss).toHaveLength(run.config.steps);
      expect(drain(store.predictions.read(run.id, 'test'))?.sampleIds).toHaveLength(run.samples.test);
      // Every probability is where it was, in a file now.
      const file = store.predictions.file(run.id, 'test')!;
      const probabilities = openRows({ ...file, path: join(folder, file.path) });
      const old = read(join(original, 'cotune.sqlite'), (db) =>
        schema < 6
          ? db
              .prepare(
                "SELECT probabilities FROM predictions WHERE run_id = ? AND split = 'test' ORDER BY sample_id",
              )
              .pluck()
              .all(run.id)
          : [],
      ) as Buffer[];
      for (const [row, bytes] of old.entries())
        expect(Buffer.from(probabilities.read(row).buffer).equals(bytes)).toBe(true);
      probabilities.close();
      expect(store.runs.record(run.id)?.weights).toMatch(/^runs\//);
    }
    const cotuned = runs.find((run) => run.id === 4)!;
    expect(store.relationships.matrix(cotuned.relationshipId!)).toHaveLength(6);
    expect(store.datasets.list().map(({ name }) => name)).toEqual(['Käfer & Co', 'insects', 'odd']);
    expect(store.models.list().map(({ name }) => name)).toEqual(['tiny']);
    expect(store.experiments.list()[0].runs).toHaveLength(4);
    expect(store.tasks.list().map(({ status }) => status)).toContain('failed');
    store.close();
  });

  // The newest has nothing to be upgraded to.
  if (schema === migrations.length) return;
  test('stays beside the upgraded one as it was', () => {
    copyHome(schema, folder);
    const before = read(path, tablesOf);
    openStore(path).close();
    const copy = join(folder, `cotune.before-${migrations.length}.sqlite`);
    expect(read(copy, (db) => db.pragma('user_version', { simple: true }))).toBe(schema);
    expect(read(copy, tablesOf)).toEqual(before);
  });
});

describe('migrations', () => {
  test.each(migrations.map((_, version) => version))('bring version %i to the newest schema', (version) => {
    makeOld(version);
    openStore(path).close();
    openStore(join(folder, 'new.sqlite')).close();
    expect(schemaOf(path)).toEqual(schemaOf(join(folder, 'new.sqlite')));
  });

  test('give predictions of tagged texts the tags that they were judged by', () => {
    copyHome(17, folder);
    read(path, (db) => {
      migrate(db, path, migrations.slice(0, 18));
      db.exec(`UPDATE runs SET task = 'token-classification' WHERE id = 4;
        UPDATE samples SET content = json_object('text', 'in ' || path, 'words', json_array('in', path), 'tags', json_array('O', 'B-LOC'))`);
      migrate(db, path);
      const gold = (where: string) =>
        db
          .prepare(
            `SELECT DISTINCT gold FROM predictions p JOIN predicted_splits t ON t.id = p.set_id WHERE ${where}`,
          )
          .pluck()
          .all();
      expect(gold('run_id = 4')).toEqual(['["O","B-LOC"]']);
      expect(gold('run_id <> 4')).toEqual([null]);
    });
  });

  test('may rebuild a table without losing the rows that refer to it', () => {
    copyHome(2, folder);
    const children = (db: Database.Database) => {
      const { predictions, metrics, checkpoints, run_notes } = Object.fromEntries(tablesOf(db));
      return { predictions, metrics, checkpoints, run_notes };
    };
    const before = read(path, children);
    const rebuild = [
      ...migrations.slice(0, 2),
      `CREATE TABLE runs_new (id INTEGER PRIMARY KEY AUTOINCREMENT, status TEXT NOT NULL) STRICT;
       INSERT INTO runs_new SELECT id, status FROM runs;
       DROP TABLE runs;
       ALTER TABLE runs_new RENAME TO runs;`,
    ];
    read(path, (db) => {
      // The triggers name columns that the new table lacks.
      for (const name of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all())
        db.exec(`DROP TRIGGER ${name}`);
      db.pragma('foreign_keys = ON');
      migrate(db, path, rebuild);
      expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    });
    expect(read(path, children)).toEqual(before);
  });

  test.each([
    ['fails in the middle', 'CREATE TABLE mine (x); INSERT INTO nowhere VALUES (1)', /nowhere/],
    ['would leave a reference without its row', 'DELETE FROM runs WHERE id = 4', /lead nowhere/],
  ])('that %s leave the old file whole, with the copy', (_, step, reason) => {
    copyHome(2, folder);
    const before = read(path, tablesOf);
    read(path, (db) => {
      expect(() => migrate(db, path, [...migrations.slice(0, 2), step])).toThrow(reason);
    });
    expect(read(path, (db) => db.pragma('user_version', { simple: true }))).toBe(2);
    expect(read(path, tablesOf)).toEqual(before);
  });

  test('keep the copies from before the last two upgrades', () => {
    copyHome(2, folder);
    const steps = migrations.slice(0, 2);
    for (const table of ['a', 'b', 'c', 'd']) {
      steps.push(`CREATE TABLE ${table} (x)`);
      read(path, (db) => migrate(db, path, steps));
    }
    expect(
      readdirSync(folder)
        .filter((name) => name.includes('before'))
        .sort(),
    ).toEqual(['cotune.before-5.sqlite', 'cotune.before-6.sqlite']);
  });

  test('are made once by processes that open an old home at the same instant', async () => {
    copyHome(1, folder);
    const module = new URL('../../src-main/store/store.ts', import.meta.url).href;
    const script = `
      const { openStore } = await import(${JSON.stringify(module)});
      while (Date.now() < ${Date.now() + 1500});
      const store = openStore(${JSON.stringify(path)});
      process.stdout.write(String(store.runs.list({}).length));
      store.close();`;
    const counts = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [said] = await once(child.stdout, 'data');
        return String(said);
      }),
    );
    expect(counts).toEqual(['13', '13', '13']);
    expect(read(path, (db) => db.pragma('user_version', { simple: true }))).toBe(migrations.length);
    const copy = join(folder, `cotune.before-${migrations.length}.sqlite`);
    expect(read(copy, (db) => db.pragma('user_version', { simple: true }))).toBe(1);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('are not made by an older program: the newer file is refused and left as it was', () => {
    openStore(path).close();
    read(path, (db) => db.pragma(`user_version = ${migrations.length + 1}`));
    const before = readFileSync(path);
    expect(() => openStore(path)).toThrow(/newer version/);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('that meet tables of something else leave them as they were', () => {
    // A table of the first step is there already: the step must fail and leave nothing of itself.
    read(path, (db) => db.exec('CREATE TABLE runs (mine TEXT); INSERT INTO runs VALUES (1)'));
    expect(() => openStore(path)).toThrow(/cannot be used/);
    expect(read(path, (db) => db.pragma('user_version', { simple: true }))).toBe(0);
    expect(read(path, (db) => [...tablesOf(db).keys()])).toEqual(['runs']);
  });
});
