import { rmSync } from 'node:fs';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import type { RunRequest } from '../../src-shared/contract.ts';
import type { Dataset } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { NewRun } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { Context, Handlers } from './context.ts';
import { findDataset, findModel, findRun } from './lookup.ts';
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
  const { store, home, queue, emit, owner } = context;

  return {
    'runs.list': ({ dataset, ...filter }) =>
      store.runs.list({
        ...filter,
        ...(dataset === undefined ? {} : { dataset: findDataset(store, dataset).id }),
      }),
    'runs.get': ({ run }) => findRun(store, run),
    'runs.start': async (request) => {
      const [planned] = await planRuns(context, [request]);
      const id = store.transaction(() => insertRun(context, planned, null));
      queue.add(id);
      const run = findRun(store, id);
      emit('run', run);
      return run;
    },
    'runs.resume': ({ run: id }) => {
      const run = findRun(store, id);
      if (run.status === 'queued') {
        // Left over from another process's queue: from now on this one works on it as well.
        queue.add(id);
        return run;
      }
      if (run.status !== 'failed' && run.status !== 'stopped') {
        throw new CotuneError(
          'conflict',
          `Run ${id} cannot be resumed: it is ${run.status}.`,
          'Only failed and stopped runs can be resumed.',
        );
      }
      store.transaction(() => {
        // Another process may have resumed it since: then it is in the queue already, or running.
        if (store.runs.resume(id, run.checkpointStep ?? 0)) store.runs.update(id, { error: null });
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
      // Between its stop and its removal another process may have resumed it.
      do await queue.evict(id);
      while (
        !store.transaction(() => {
          const deleted = store.runs.delete(id, owner);
          if (deleted) store.datasets.purge();
          return deleted || !store.runs.get(id);
        })
      );
      rmSync(home.runFolder(id), { recursive: true, force: true });
      emit('run.deleted', { run: id });
      return { ok: true };
    },
    'runs.metrics': ({ run, afterStep }) => store.metrics.after(findRun(store, run).id, afterStep),
    'runs.notes': ({ run }) => store.runNotes.list(findRun(store, run).id),

    'sweeps.list': () => store.sweeps.list(),
    'sweeps.start': async (plan) => {
      const { dataset, model, config } = plan;
      // Seeds outermost: a sweep that is cut short leaves whole comparisons of methods, not one method's seeds. Methods there
      // and back: each comparison begins with the method whose compiled step the one before has left.
      const pairs = plan.seeds.flatMap((seed) => plan.rates.map((rate) => ({ seed, rate })));
      const requests = pairs.flatMap((pair, index) =>
        (index % 2 === 0 ? plan.methods : plan.methods.toReversed()).map((method) => ({
          ...config,
          dataset,
          model,
          method,
          ...pair,
        })),
      );
      const planned = await planRuns(context, requests);
      const sweep = store.transaction(() => {
        const id = store.sweeps.insert(plan.name, plan);
        for (const one of planned) insertRun(context, one, id);
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

interface PlannedRun {
  run: Omit<NewRun, 'sweepId'>;
  notes: string[];
}

/**
 * Resolves requests into complete runs. Choosing the images of a large dataset takes a while: each choice is made once
 * and other calls come in between. Errors: `bad-input`, `not-found`.
 */
async function planRuns({ store }: Context, requests: readonly RunRequest[]): Promise<PlannedRun[]> {
  // Loaded here, not above: calls that plan no run need not wait for the methods and tf.js.
  const [{ resolveRunConfig }, { refuseUnused }] = await Promise.all([
    import('./run-config.ts'),
    import('./choose-parts.ts'),
  ]);
  const choices = new Map<string, ReturnType<typeof chooseImages>>();
  const planned: PlannedRun[] = [];
  let unusedByAll: string[] | undefined;
  for (const request of requests) {
    const dataset = findDataset(store, request.dataset);
    const model = findModel(store, request.model);
    const { rate = 1, seed = 0 } = request;
    const key = JSON.stringify([dataset.hash, rate, seed]);
    const choice = choices.get(key) ?? chooseImages(store, dataset, rate, seed);
    if (!choices.has(key)) await turnOfLoop();
    choices.set(key, choice);
    const { config, unused } = resolveRunConfig(request, dataset, model, choice.samples.train);
    // An option of a sweep is for the methods that have it.
    unusedByAll = unused.filter((option) => unusedByAll?.includes(option) ?? true);
    const run = {
      config,
      datasetId: dataset.id,
      modelId: model.id,
      datasetHash: dataset.hash,
      modelHash: model.hash,
      splitHash: choice.splitHash,
      samples: choice.samples,
      targetClasses: dataset.classes,
    };
    planned.push({ run, notes: choice.notes });
  }
  refuseUnused(
    unusedByAll ?? [],
    planned.map(({ run }) => run.config),
  );
  return planned;
}

function chooseImages(store: Store, dataset: Dataset, rate: number, seed: number) {
  if (dataset.classes.length < 2) {
    throw new CotuneError(
      'bad-input',
      `The dataset "${dataset.name}" has ${dataset.classes.length} class; telling classes apart needs two.`,
      'Import a folder with at least two class folders.',
    );
  }
  const { samples, splitHash, notes } = samplesForRun(store, dataset, rate, seed);
  return { samples: countsOf(samples), splitHash, notes };
}

/** Stores a planned run at the end of the queue. */
function insertRun({ store }: Context, { run, notes }: PlannedRun, sweepId: number | null): number {
  const id = store.runs.insert({ ...run, sweepId });
  for (const note of notes) store.runNotes.insert(id, note);
  return id;
}
