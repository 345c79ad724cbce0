import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Base } from './base.ts';
import { findRun } from './lookup.ts';
import type { Queue } from './queue.ts';

/** Puts a run that failed or was stopped back into the queue, to go on from its checkpoint. Errors: `conflict`. */
export function resumeRun(
  { store, emit, queue }: Pick<Base, 'store' | 'emit'> & { queue: Queue },
  run: Run,
): Run {
  const { id } = run;
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
}
