import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Base } from './base.ts';
import { newestCheckpoint } from './checkpoint-files.ts';
import { processId } from './lease.ts';
import { runTaken } from './run-recorder.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';
import { type RunningRun, resumeHint, trainRun } from './train-run.ts';
import { openTrainer } from './trainer-job.ts';
import { openTrouble } from './trouble.ts';

/** Which queued runs this process works on: all of the home's, or only those that it queued itself. */
export type QueueScope = 'all' | 'own';

export type Queue = ReturnType<typeof openQueue>;

/**
 * The queue of runs: one at a time per data folder, whichever process works on it, in the order in which they came, and none while
 * a job has the device.
 * It lives in the store, so it survives a restart. Runs that follow each other without a break share a trainer process.
 */
export function openQueue(base: Base, spawnTrainer: SpawnTrainer, scope: QueueScope) {
  const { store, emit, owner, device } = base;
  const own = new Set<number>();
  const trainer = openTrainer(spawnTrainer);
  let current: RunningRun | undefined;
  const tellTrouble = openTrouble();
  let closed = false;

  const mine = () => (scope === 'all' ? null : [...own]);

  /**
   * Takes the next run when its turn has come. Called after every change that could let one begin, and every few seconds: a
   * database that cannot be written now is tried again then.
   */
  function kick(): void {
    if (closed) return;
    let id: number | undefined;
    try {
      if (current) store.runs.standInLine(owner, mine());
      else id = store.runs.claim(owner, mine());
    } catch (error) {
      tellTrouble(store.explain(error));
    }
    if (id === undefined) return;
    own.delete(id);
    const run = trainRun(base, id, trainer);
    current = run;
    void run.ended.then(() => {
      current = undefined;
      kick();
      device.kick();
      // Nothing follows: memory and the graphics device go back at once.
      if (!current) void trainer.end();
    });
  }

  /** Marks runs whose service is gone as failed. Their trainers end with it; what they leave stays in their own folders. */
  function reap(): void {
    for (const { id, owner: other } of store.runs.running()) {
      if (other === owner || store.leases.isHeld(other)) continue;
      const step = newestCheckpoint(base, id)?.step;
      const at = store.runs.get(id)?.step;
      const error = {
        code: 'failed' as const,
        message: `The service (process ${processId(other)}) ended while the run was at step ${at}.`,
        hint: resumeHint(id, step),
      };
      if (store.runs.end(id, other, 'failed', { error })) emit('run', store.runs.get(id)!);
    }
  }

  /** Ends a run for good: `stop` lets it write a checkpoint, `kill` does not wait. True where this process runs it. */
  function endCurrent(id: number, how: 'stop' | 'kill'): boolean {
    if (current?.id !== id) return false;
    current[how]();
    return true;
  }

  device.onFree(kick);

  return {
    kick,
    reap,
    /** Puts a run at the end of the queue and starts it when its turn comes. */
    add(id: number): void {
      own.add(id);
      // Not at once: the caller's answer goes out before the run's first event.
      setImmediate(kick);
    },
    /** Stops a run, queued or running, here or in another process. Errors: `conflict` where it has ended already. */
    stop(run: Run): void {
      if (endCurrent(run.id, 'stop')) return;
      const how = store.transaction(() => {
        if (store.runs.stopQueued(run.id)) return 'stopped';
        return store.runs.requestStop(run.id) ? 'asked' : 'over';
      });
      if (how === 'stopped') emit('run', store.runs.get(run.id)!);
      if (how === 'over') {
        throw new CotuneError(
          'conflict',
          `Run ${run.id} is not running: it is ${run.status}.`,
          'Only queued and running runs can be stopped.',
        );
      }
    },
    /** Ends a run at once, and resolves when nobody works on it any more. */
    async evict(id: number): Promise<void> {
      store.runs.stopQueued(id);
      if (current?.id === id) {
        current.kill();
        await current.ended;
        return;
      }
      if (store.runs.requestStop(id)) await untilStopped(base, id);
    },
    /** Follows a request to stop that another process made. */
    followRequests(): void {
      if (current && store.runs.record(current.id)?.stopRequested) current.stop();
    },
    /** Gives up the running run: another process has taken this one's lease, and the run with it. */
    abandon: (): void => current?.kill(runTaken(current.id)),
    runningHere: (): number | undefined => current?.id,
    /** Stops the running run with a checkpoint and puts it back into the queue. */
    async close(): Promise<void> {
      closed = true;
      current?.stop(true);
      await current?.ended;
      await trainer.end();
    },
  };
}

/** Waits for another process to give a run up; it polls a few times a second. */
async function untilStopped({ store }: Base, id: number): Promise<void> {
  const until = Date.now() + 120_000;
  while (store.runs.get(id)?.status === 'running') {
    if (Date.now() > until) {
      throw new CotuneError(
        'conflict',
        `Run ${id} is being run by another process, which does not stop.`,
        'Close the other program that uses this data folder, then try again.',
      );
    }
    await new Promise((wake) => setTimeout(wake, 100));
  }
}
