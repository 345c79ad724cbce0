import { rmSync } from 'node:fs';
import type { RunRequest } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Context, Handlers } from './context.ts';
import { findDataset, findModel, findRun } from './lookup.ts';
import { resolveRunConfig } from './run-config.ts';
import { samplesForRun } from './run-samples.ts';
import { countsOf } from './train-run.ts';

type Names =
  | 'runs.list'
  | 'runs.get'
  | 'runs.start'
  | 'runs.resume'
  | 'runs.stop'
  | 'runs.delete'
  | 'runs.metrics'
  | 'runs.notes'
  | 'sweeps.list'
  | 'sweeps.start';

export function runCalls(context: Context): Handlers<Names> {
  const { store, home, queue, emit } = context;

  return {
    'runs.list': ({ dataset, ...filter }) =>
      store.runs.list({
        ...filter,
        ...(dataset === undefined ? {} : { dataset: findDataset(store, dataset).id }),
      }),
    'runs.get': ({ run }) => findRun(store, run),
    'runs.start': (request) => {
      const id = createRun(context, request, null);
      queue.add(id);
      const run = findRun(store, id);
      emit('run', run);
      return run;
    },
    'runs.resume': ({ run: id }) => {
      const run = findRun(store, id);
      if (run.status !== 'failed' && run.status !== 'stopped') {
        throw new CotuneError(
          'conflict',
          `Run ${id} cannot be resumed: it is ${run.status}.`,
          'Only failed and stopped runs can be resumed.',
        );
      }
      store.transaction(() => {
        store.runs.update(id, { error: null });
        store.runs.enqueue(id, run.checkpointStep ?? 0);
      });
      queue.add(id);
      const resumed = findRun(store, id);
      emit('run', resumed);
      return resumed;
    },
    'runs.stop': ({ run }) => {
      queue.stop(findRun(store, run));
      return { ok: true };
    },
    'runs.delete': async ({ run: id }) => {
      findRun(store, id);
      await queue.evict(id);
      store.transaction(() => {
        store.runs.delete(id);
        store.datasets.purge();
      });
      rmSync(home.runFolder(id), { recursive: true, force: true });
      emit('run.deleted', { run: id });
      return { ok: true };
    },
    'runs.metrics': ({ run, afterStep }) => store.metrics.after(findRun(store, run).id, afterStep),
    'runs.notes': ({ run }) => store.runNotes.list(findRun(store, run).id),

    'sweeps.list': () => store.sweeps.list(),
    'sweeps.start': (plan) => {
      const { dataset, model, config } = plan;
      const sweep = store.transaction(() => {
        const id = store.sweeps.insert(plan.name, plan);
        // Seeds outermost: a sweep that is cut short leaves whole comparisons of methods, not one method's seeds.
        for (const seed of plan.seeds) {
          for (const rate of plan.rates) {
            for (const method of plan.methods)
              createRun(context, { ...config, dataset, model, method, rate, seed }, id);
          }
        }
        return store.sweeps.get(id)!;
      });
      for (const run of sweep.runs) {
        emit('run', findRun(store, run));
        queue.add(run);
      }
      return sweep;
    },
  };
}

/** Resolves a request and stores it as a queued run. Errors: `bad-input`, `not-found`. */
function createRun({ store }: Context, request: RunRequest, sweepId: number | null): number {
  const dataset = findDataset(store, request.dataset);
  const model = findModel(store, request.model);
  if (dataset.classes.length < 2) {
    throw new CotuneError(
      'bad-input',
      `The dataset "${dataset.name}" has ${dataset.classes.length} class; telling classes apart needs two.`,
      'Import a folder with at least two class folders.',
    );
  }
  const { rate = 1, seed = 0 } = request;
  const { samples, splitHash, notes } = samplesForRun(store, dataset, rate, seed);
  const config = resolveRunConfig(request, dataset, model, samples.train.length);
  return store.transaction(() => {
    const id = store.runs.insert({
      config,
      datasetId: dataset.id,
      modelId: model.id,
      sweepId,
      datasetHash: dataset.hash,
      modelHash: model.hash,
      splitHash,
      samples: countsOf(samples),
      targetClasses: dataset.classes,
    });
    for (const note of notes) store.runNotes.insert(id, note);
    return id;
  });
}
