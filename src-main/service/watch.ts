import type { Context } from './context.ts';
import { openTrouble } from './trouble.ts';

const pollMs = 250;
const reapEveryMs = 2_000;

/**
 * Follows what other processes do to the same home: their changes become events here, their requests to stop are
 * obeyed, and work whose process died is marked as failed. It keeps this process alive, which may be waiting for another
 * one's run; returns the function that ends it.
 */
export function watchHome({ store, lease, queue, device, experiments, tasks, emit }: Context): () => void {
  let version = store.dataVersion();
  let revision = store.revision();
  let topics = store.topicRevisions();
  let reaped = performance.now();
  const tellTrouble = openTrouble();
  /** Last metrics step told, by foreign run. */
  const toldStep = new Map<number, number>();

  function follow(): void {
    const since = revision;
    revision = store.revision();
    for (const id of store.runs.deletedSince(since)) emit('run.deleted', { run: id });
    for (const task of store.tasks.changedSince(since)) emit('task', task);
    for (const run of store.runs.changedSince(since)) {
      emit('run', run);
      if (run.status === 'running' && run.id !== queue.runningHere()) tellProgress(run.id, run.phase);
      else toldStep.delete(run.id);
    }
    const now = store.topicRevisions();
    if (now.datasets !== topics.datasets) emit('datasets.changed', {});
    if (now.models !== topics.models) emit('models.changed', {});
    topics = now;
  }

  function tellProgress(run: number, phase: Parameters<typeof store.runs.progress>[1]): void {
    const { phaseDone: done, phaseTotal: total } = store.runs.record(run)!;
    emit('run.progress', { run, phase, done, total });
    const from = toldStep.get(run) ?? store.runs.get(run)!.step;
    const byStep = new Map<number, Record<string, number>>();
    for (const [name, points] of Object.entries(store.metrics.after(run, from))) {
      for (const { step, value } of points) byStep.set(step, { ...byStep.get(step), [name]: value });
    }
    let last = from;
    for (const [step, values] of [...byStep].sort(([a], [b]) => a - b)) {
      emit('run.metrics', { run, step, values });
      last = step;
    }
    toldStep.set(run, last);
  }

  function poll(): void {
    const now = store.dataVersion();
    if (now !== version) {
      version = now;
      follow();
      queue.followRequests();
      queue.kick();
      device.kick();
    }
    // Whatever this process worked on is another one's: it must not go on writing.
    if (!lease.renew()) queue.abandon();
    if (performance.now() - reaped > reapEveryMs) {
      reaped = performance.now();
      lease.takeOver();
      queue.reap();
      tasks.reap();
      experiments.follow();
      queue.kick();
      device.kick();
    }
  }

  const timer = setInterval(() => {
    try {
      poll();
    } catch (error) {
      // A busy or full disk now may be fine at the next look; what fails for good shows in the calls.
      tellTrouble(store.explain(error));
    }
  }, pollMs);
  return () => clearInterval(timer);
}
