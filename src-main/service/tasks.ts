import type { Task } from '../../src-shared/contract.ts';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import { explainSystemError } from '../formats/system-error.ts';
import type { Base } from './base.ts';
import type { DeviceUse } from './device.ts';
import { closedMeanwhile } from './jobs.ts';
import { processId } from './lease.ts';
import { persist } from './persist.ts';
import { openTrouble } from './trouble.ts';
import { openTurns } from './turns.ts';

/** What a piece of work is given; it takes its turn for the device as of when the task began. */
export interface TaskWork extends Required<Pick<DeviceUse, 'title' | 'askedAt' | 'waits'>> {
  /** Tells how far it is; cheap to call often. */
  progress(done: number, total: number): void;
  /** Says what a person should know of its result. */
  tellNotes(notes: readonly string[]): void;
  /** Aborted when a person cancels the task, and when the service closes. */
  signal: AbortSignal;
}

/** One of several equal parts of a task. */
export const partOf = (task: TaskWork, at: number, parts: number): TaskWork => ({
  ...task,
  progress: (done, total) => task.progress(at * total + done, parts * total),
});

export type Tasks = ReturnType<typeof openTasks>;

const progressEveryMs = 200;
/** Of each kind; the others wait in the order in which they came. */
const atOnce = 2;

/** Long pieces of work outside runs, each with a row that every process sees. */
export function openTasks({ store, emit, owner }: Pick<Base, 'store' | 'emit' | 'owner'>) {
  const working = new Map<number, { done: Promise<void>; cancelling: AbortController }>();
  const closing = new AbortController();
  const turns = new Map<Task['kind'], ReturnType<typeof openTurns>>();
  const tellTrouble = openTrouble();
  /** Does what is no reason to fail where the database is locked or the disk full. */
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      tellTrouble(store.explain(error));
    }
  };
  const tell = (id: number) =>
    attempt(() => {
      const task = store.tasks.get(id);
      if (task) emit('task', task);
    });

  function turnsOf(kind: Task['kind']) {
    const own = turns.get(kind) ?? openTurns(atOnce);
    turns.set(kind, own);
    return own;
  }

  async function perform(
    { id, title }: Task,
    work: (task: TaskWork) => Promise<number>,
    cancelled: AbortSignal,
  ): Promise<void> {
    let last = 0;
    const progress = (done: number, total: number) => {
      if (Date.now() - last < progressEveryMs) return;
      last = Date.now();
      attempt(() => store.tasks.progress(id, done, total));
      tell(id);
    };
    const waits = (what: string | null) => {
      attempt(() => store.tasks.waits(id, what));
      tell(id);
    };
    const tellNotes = (notes: readonly string[]) => attempt(() => store.tasks.setNotes(id, notes));
    const askedAt = new Date().toISOString();
    let write: () => void;
    try {
      const signal = AbortSignal.any([closing.signal, cancelled]);
      const result = await work({ title, askedAt, progress, waits, tellNotes, signal });
      write = () => store.tasks.finish(id, result);
    } catch (error) {
      const reason = closing.signal.aborted
        ? closedMeanwhile()
        : cancelled.aborted
          ? new CotuneError('cancelled', 'It was cancelled.', 'Start it again whenever you like.')
          : explainSystemError(store.explain(error));
      write = () => store.tasks.fail(id, toErrorValue(reason));
    }
    // Where it cannot be written before this process ends, the next one finds a task whose process is gone.
    const tellFailure = ({ message, hint }: CotuneError) =>
      process.emitWarning(`A task has ended, which cannot be written down yet: ${message} ${hint}`);
    await persist(store, write, tellFailure, () => closing.signal.aborted).catch((error: Error) =>
      process.emitWarning(error),
    );
    tell(id);
  }

  return {
    /** Begins `work`, which ends with the id of what it made; returns at once. */
    start(kind: Task['kind'], title: string, work: (task: TaskWork) => Promise<number>): Task {
      const id = store.tasks.insert(kind, title, owner);
      const task = store.tasks.get(id)!;
      emit('task', task);
      const cancelling = new AbortController();
      const inTurn = (own: TaskWork) => {
        const turns = turnsOf(kind);
        const waits = !turns.isFree();
        if (waits) own.waits('others of its kind');
        const begun = () => {
          if (waits) own.waits(null);
          return work(own);
        };
        return turns.take(begun, own.signal);
      };
      const done = perform(task, inTurn, cancelling.signal).finally(() => working.delete(id));
      working.set(id, { done, cancelling });
      return task;
    },
    /** Errors: `not-found`; `conflict` where another process does it. A task that is over stays as it is. */
    cancel(id: number): void {
      const task = store.tasks.get(id);
      if (!task) throw new CotuneError('not-found', `There is no task ${id}.`);
      if (task.status !== 'running') return;
      const here = working.get(id);
      if (!here)
        throw new CotuneError(
          'conflict',
          `${task.title} is the work of another process.`,
          'Cancel it there.',
        );
      here.cancelling.abort();
    },
    /** Marks tasks whose process is gone as failed. */
    reap(): void {
      for (const { id, owner: other } of store.tasks.running()) {
        if (other === owner || store.leases.isHeld(other)) continue;
        store.tasks.fail(id, {
          code: 'failed',
          message: `The service (process ${processId(other)}) ended before this was done.`,
          hint: 'Start it again.',
        });
        tell(id);
      }
    },
    async close(): Promise<void> {
      closing.abort();
      await Promise.all([...working.values()].map(({ done }) => done));
    },
  };
}
