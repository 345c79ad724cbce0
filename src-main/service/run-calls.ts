import { rmSync } from 'node:fs';
import type { Context, Handlers } from './context.ts';
import { findDataset, findRun } from './lookup.ts';
import { insertRun, planRuns, refuseOptionsOfNone } from './plan-runs.ts';
import { resumeRun } from './resume-run.ts';
import { teacherWeights } from './trained-weights.ts';

type Names =
  | 'runs.list'
  | 'runs.get'
  | 'runs.start'
  | 'runs.resume'
  | 'runs.stop'
  | 'runs.delete'
  | 'runs.metrics'
  | 'runs.notes';

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
      const planned = await planRuns(store, [{ request }]);
      await refuseOptionsOfNone(planned);
      const [{ run: wanted }] = planned;
      await teacherWeights(context, wanted.config.method, wanted.targetClasses);
      const id = store.transaction(() => insertRun(store, planned[0], null));
      queue.add(id);
      const run = findRun(store, id);
      emit('run', run);
      return run;
    },
    'runs.resume': ({ run }) => resumeRun(context, findRun(store, run)),
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
  };
}
