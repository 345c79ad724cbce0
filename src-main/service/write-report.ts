import { statSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { ExperimentResults } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { methodName } from '../../src-shared/parts.ts';
import { checkOutput } from '../formats/output-file.ts';
import { writeWhole } from '../formats/write-whole.ts';
import type { Context } from './context.ts';
import { experimentReport, type ReportData } from './experiment-report.ts';
import { programVersion } from './program-version.ts';
import { relationshipRows } from './relationship-rows.ts';

/** Source classes named for each target class. */
const topSources = 5;

/** Writes an experiment's report. Errors: `conflict` where a file is there that is not to be replaced. */
export function writeReport(
  { store }: Context,
  results: ExperimentResults,
  path: string,
  overwrite: boolean,
): { path: string; bytes: number } {
  const file = resolve(path);
  checkOutput(file, overwrite);
  const finals = results.cells.flatMap(({ runs }) =>
    runs.flatMap(({ run: id }) => {
      const run = id === null ? undefined : store.runs.get(id);
      return run?.status === 'finished' ? [{ run, curves: store.metrics.after(run.id, -1) }] : [];
    }),
  );
  const html = experimentReport({
    results,
    finals,
    relationships: relationshipsOf(
      store,
      finals.map(({ run }) => run),
    ),
    environment: {
      Program: `Cotuning Studio ${programVersion}, Node ${process.versions.node}, ${process.platform} ${process.arch}`,
      'Machine that wrote this': `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
      Written: new Date().toISOString(),
    },
  });
  writeWhole(file, [Buffer.from(html)]);
  return { path: file, bytes: statSync(file).size };
}

/** For each method and rate the relationship of its first run: those of other seeds say much the same. */
function relationshipsOf(store: Context['store'], runs: readonly Run[]): ReportData['relationships'] {
  const first = new Map<string, Run>();
  for (const run of runs) {
    const key = `${methodName(run.config.method)} ${run.config.rate}`;
    if (!first.has(key)) first.set(key, run);
  }
  const shown = new Set<number>();
  return [...first.values()].flatMap((run) => {
    const id = run.relationshipId;
    const relationship = id === null || shown.has(id) ? undefined : store.relationships.get(id);
    if (!relationship) return [];
    shown.add(relationship.id);
    return [
      {
        relationship,
        method: `${methodName(run.config.method)}, rate ${run.config.rate}, seed ${run.config.seed}`,
        rows: relationshipRows(relationship, store.relationships.matrix(relationship.id)!, topSources),
      },
    ];
  });
}
