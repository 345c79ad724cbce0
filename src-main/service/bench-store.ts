import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { BenchRequest, StoreBench } from '../../src-shared/bench.ts';
import { spreadOf } from '../../src-shared/spread.ts';
import { openStore, type Store } from '../store/store.ts';
import { addRuns, curvesOf, writePredictions } from './bench-store-rows.ts';
import type { WriterData } from './bench-store-writer.ts';

const curves = Object.keys(curvesOf(1)).length;

/**
 * Measures the store in a temporary folder: a round writes a run's curves and its predictions; then the history of all
 * rounds is read while a second connection, in a thread, writes another run's curves without a rest.
 */
export async function benchStore(
  options: Omit<Extract<BenchRequest, { what: 'store' }>, 'what'>,
  onRound: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<StoreBench> {
  const { steps, samples, targets, rounds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'cotune-store-'));
  const store = openStore(join(folder, 'bench.sqlite'));
  try {
    const { runs, predicted } = addRuns(store, samples, targets, rounds + 1);
    const [live, ...written] = runs;
    const metricRates: number[] = [];
    const predictionRates: number[] = [];
    const turns: number[] = [];
    for (const [round, run] of written.entries()) {
      onRound(round, rounds);
      const curvesSeconds = secondsOf(() => {
        for (let step = 1; step <= steps; step++) store.metrics.insert(run, step, curvesOf(step));
      });
      metricRates.push((steps * curves) / curvesSeconds);
      const writing = writePredictions(store, run, predicted, folder);
      const from = turns.length;
      for (let done = false; !done; )
        turns.push(
          secondsOf(() => {
            done = writing.next().done ?? false;
          }),
        );
      predictionRates.push(samples / turns.slice(from).reduce((sum, each) => sum + each, 0));
      await turnOfLoop();
      signal.throwIfAborted();
    }
    onRound(rounds, rounds);
    return {
      bench: 'store',
      steps,
      samples,
      targets,
      rounds,
      metric_rows_per_s: spreadOf(metricRates),
      prediction_rows_per_s: spreadOf(predictionRates),
      prediction_turn_s: spreadOf(turns),
      ...(await readWhileWriting(store, live, written)),
    };
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Reads the list of runs and everything of each of `written`, while a thread writes to the run `live`. */
async function readWhileWriting(
  store: Store,
  live: number,
  written: readonly number[],
): Promise<Pick<StoreBench, 'history_read_s' | 'metric_rows_per_s_while_read'>> {
  const control = new Int32Array(new SharedArrayBuffer(8));
  const data: WriterData = { path: store.path, run: live, control };
  const writer = new Worker(new URL('./bench-store-writer.ts', import.meta.url), { workerData: data });
  const ended = once(writer, 'exit');
  try {
    await Promise.race([once(writer, 'message'), ended]);
    const before = Atomics.load(control, 1);
    const seconds = written.map((run) =>
      secondsOf(() => {
        store.runs.list({});
        store.metrics.after(run, -1);
        for (const _ of store.predictions.read(run, 'test'));
      }),
    );
    const rows = (Atomics.load(control, 1) - before) * curves;
    const elapsed = seconds.reduce((sum, each) => sum + each, 0);
    return { history_read_s: spreadOf(seconds), metric_rows_per_s_while_read: rows / elapsed };
  } finally {
    Atomics.store(control, 0, 1);
    await ended;
  }
}

function secondsOf(work: () => void): number {
  const from = performance.now();
  work();
  return (performance.now() - from) / 1000;
}
