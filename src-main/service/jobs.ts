import { CotuneError } from '../../src-shared/errors.ts';
import type { Job } from '../trainer/protocol.ts';
import type { Device, DeviceUse } from './device.ts';
import { openKeptProcess } from './kept-process.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';
import { type JobMessage, startJob } from './trainer-job.ts';
import { openTurns } from './turns.ts';

/** What a job says beside its progress. */
type Heard = Exclude<JobMessage, { type: 'progress' }>;

/** `title` is its kind where left out. */
export interface JobOptions extends Partial<DeviceUse> {
  hear?(message: Heard): void;
  progress?(done: number, total: number): void;
  /** Kills the job; one that waits for its turn does not begin. */
  signal?: AbortSignal;
  /** Does not wait for the device: a person waits for it, and it takes seconds. */
  beside?: boolean;
  /** Where the job is, for the reason of an early death. */
  at?(): string;
}

export type Jobs = ReturnType<typeof openJobs>;

/** Why work ended that was going on when the service was closed. */
export const closedMeanwhile = (): CotuneError =>
  new CotuneError('cancelled', 'The service was closed before this was done.', 'Start it again.');

/** A job that is no run. */
type OtherJob = Exclude<Job, { kind: 'train' | 'average' }>;

/** What a job takes its turn for: what computes for minutes has the device to itself; what answers a person does not wait for that. */
const lanes = {
  relationship: 'device',
  'relationship-arrays': 'device',
  calibration: 'device',
  rank: 'device',
  check: 'device',
  bench: 'device',
  predict: 'short',
  'predict-texts': 'short',
  explain: 'kept',
  features: 'device',
  export: 'short',
  'export-texts': 'short',
  verify: 'short',
  engines: 'look',
} as const satisfies Record<OtherJob['kind'], string>;

/**
 * Jobs in trainer processes of their own. However many are asked for, five processes work at a time: one that has the device,
 * where no run does; two short jobs; one that looks for engines; and one that keeps open what it was asked about, for the next of its
 * kind. The others wait in the order in which they were asked for.
 */
export function openJobs(spawnTrainer: SpawnTrainer, device: Pick<Device, 'take'>) {
  const turns = { short: openTurns(2), look: openTurns(1), kept: openTurns(1) };
  const kept = openKeptProcess(spawnTrainer);
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function work(job: OtherJob, { hear, progress, at }: JobOptions, signal: AbortSignal): Promise<void> {
    const tell = (message: JobMessage) => {
      if (message.type === 'progress') progress?.(message.done, message.total);
      else hear?.(message);
    };
    const running =
      lanes[job.kind] === 'kept' ? kept.start(job, tell, at) : startJob(spawnTrainer, job, tell, at);
    signal.addEventListener('abort', running.kill);
    await running.ended.finally(() => signal.removeEventListener('abort', running.kill));
    signal.throwIfAborted();
  }

  /**
   * Does a job when its turn comes; its process is gone by the end. Errors: those of the job, the signal's reason, `cancelled`
   * after `close`.
   */
  function perform(job: OtherJob, options: JobOptions = {}): Promise<void> {
    const signal = AbortSignal.any([closing.signal, ...(options.signal ? [options.signal] : [])]);
    const doing = () => work(job, options, signal);
    const lane = options.beside ? 'short' : lanes[job.kind];
    const done =
      lane === 'device'
        ? device.take({ title: job.kind, ...options, signal }, doing)
        : turns[lane].take(doing, signal);
    underWay.add(done);
    const forget = () => void underWay.delete(done);
    done.then(forget, forget);
    return done;
  }

  return {
    perform,
    /**
     * Does a job for the one thing that it says, in words `what`, and that `find` finds in its messages: whoever asked has it while the
     * job's process ends. Errors: as `perform`.
     */
    ask<T>(
      job: OtherJob,
      what: string,
      find: (message: Heard) => T | undefined,
      options: Omit<JobOptions, 'hear'> = {},
    ): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const hear = (message: Heard) => {
        const found = find(message);
        if (found !== undefined) resolve(found);
      };
      const without = () =>
        reject(new CotuneError('failed', `The trainer ended without ${what}.`, 'See `cotune doctor`.'));
      perform(job, { ...options, hear }).then(without, reject);
      return promise;
    },
    async close(): Promise<void> {
      closing.abort(closedMeanwhile());
      await Promise.allSettled(underWay);
      await kept.end();
    },
  };
}
