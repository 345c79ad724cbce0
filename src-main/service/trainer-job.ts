import { CotuneError } from '../../src-shared/errors.ts';
import type { FromTrainer, Job, TrainResult } from '../trainer/protocol.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';
import { connectTrainer, type TrainerConnection } from './trainer-connection.ts';
import { trainerDeath } from './trainer-death.ts';

type JobEnd = { type: 'finished'; result: TrainResult | null } | { type: 'stopped' };
/** A message that is neither the greeting nor the end. */
export type JobMessage = Exclude<FromTrainer, { type: 'ready' | 'finished' | 'stopped' | 'failed' }>;

export interface RunningJob {
  readonly pid: number | undefined;
  /**
   * Rejects with a `CotuneError` where the job failed or its process died. The process is gone by then, unless the job
   * finished and its trainer keeps it for the next.
   */
  readonly ended: Promise<JobEnd>;
  /** Asks it to write a checkpoint and end; kills it after `graceMs`. */
  stop(graceMs?: number): void;
  kill(): void;
}

/** Does jobs one after another: in one process for as long as they finish, in a fresh one after any other end. */
export interface Trainer {
  /** Begins a job; the one before has to have ended. `at` says where it is, for the reason of an early death. */
  start(job: Job, onMessage: (message: JobMessage) => void, at?: () => string): RunningJob;
  /** Ends the process that is kept, if there is one; resolves when it is gone. The next job gets a fresh one. */
  end(): Promise<void>;
}

/** A step of a large network on a slow machine takes this long at worst, and a stop waits for the step's end. */
const stopGrace = 90_000;

export function openTrainer(spawn: SpawnTrainer): Trainer {
  let kept: TrainerConnection | undefined;
  let leaving: Promise<void> = Promise.resolve();

  function start(
    job: Job,
    onMessage: (message: JobMessage) => void,
    at: () => string = () => 'before its end',
  ): RunningJob {
    let trainer: TrainerConnection;
    let end: JobEnd | CotuneError | undefined;
    let stopping = false;
    let begun = false;

    const ended = new Promise<JobEnd>((resolve, reject) => {
      const settle = () => (end instanceof CotuneError ? reject(end) : resolve(end!));

      function tell(message: JobMessage): void {
        try {
          onMessage(message);
        } catch (error) {
          // What cannot be written down ends the job: a run whose record has holes must not look complete.
          end = asCotuneError(error);
          trainer.kill();
        }
      }

      function begin(): void {
        trainer.send(stopping ? { type: 'stop' } : { type: 'start', job });
      }

      function hear(message: FromTrainer): void {
        if (message.type === 'ready') {
          if (!end) begin();
          else if (stopping || end instanceof CotuneError) void trainer.end();
          else {
            trainer.spare();
            kept = trainer;
            settle();
          }
          return;
        }
        if (end) return;
        begun = true;
        switch (message.type) {
          case 'finished':
            end = { type: 'finished', result: message.result };
            trainer.killAfter();
            return;
          case 'stopped':
            end = { type: 'stopped' };
            trainer.killAfter();
            return;
          case 'failed':
            end = new CotuneError(message.error.code, message.error.message, message.error.hint);
            trainer.killAfter();
            return;
          default:
            tell(message);
        }
      }

      function take(): void {
        const reused = kept;
        kept = undefined;
        trainer = reused ?? connectTrainer(spawn);
        trainer.listen(hear);
        void trainer.exited.then((exit) => {
          if (kept === trainer) kept = undefined;
          // A kept process may end before it has read the job: that is no failure of the job's.
          if (reused && !begun && !end && !stopping) return take();
          end ??= stopping ? { type: 'stopped' } : trainerDeath(exit, at());
          settle();
        });
        if (reused) begin();
      }
      take();
    });

    return {
      get pid() {
        return trainer.pid;
      },
      ended,
      stop(graceMs = stopGrace) {
        stopping = true;
        trainer.send({ type: 'stop' });
        trainer.killAfter(graceMs);
      },
      kill() {
        stopping = true;
        trainer.kill();
      },
    };
  }

  return {
    start,
    end() {
      if (kept) leaving = kept.end();
      kept = undefined;
      return leaving;
    },
  };
}

/** Runs one job in a process of its own, which is gone when the job has ended. */
export function startJob(
  spawn: SpawnTrainer,
  job: Job,
  onMessage: (message: JobMessage) => void,
  at?: () => string,
): RunningJob {
  const trainer = openTrainer(spawn);
  const running = trainer.start(job, onMessage, at);
  const ended = running.ended.finally(() => trainer.end());
  return {
    get pid() {
      return running.pid;
    },
    ended,
    stop: running.stop,
    kill: running.kill,
  };
}

const asCotuneError = (error: unknown): CotuneError =>
  error instanceof CotuneError
    ? error
    : new CotuneError(
        'failed',
        `The result could not be stored: ${(error as Error).message}.`,
        'Check that the data folder has free space and can be written.',
        { cause: error },
      );
