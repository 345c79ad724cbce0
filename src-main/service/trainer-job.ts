import { CotuneError } from '../../src-shared/errors.ts';
import type { FromTrainer, Job, TrainResult } from '../trainer/protocol.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';
import { trainerDeath } from './trainer-death.ts';

type JobEnd = { type: 'finished'; result: TrainResult | null } | { type: 'stopped' };
/** A message that is neither the greeting nor the end. */
export type JobMessage = Exclude<FromTrainer, { type: 'ready' | 'finished' | 'stopped' | 'failed' }>;

export interface RunningJob {
  readonly pid: number | undefined;
  /** Rejects with a `CotuneError` where the job failed or its process died; it is gone by then in every case. */
  readonly ended: Promise<JobEnd>;
  /** Asks it to write a checkpoint and end; kills it after `graceMs`. */
  stop(graceMs?: number): void;
  kill(): void;
}

/** A step of a large network on a slow machine takes this long at worst, and a stop waits for the step's end. */
const stopGrace = 90_000;
/** Time from its last word to its end that a trainer gets before it is killed. */
const exitGrace = 5_000;

/** Runs one job in a trainer process of its own. `at` says where it is, for the reason of an early death. */
export function startJob(
  spawn: SpawnTrainer,
  job: Job,
  onMessage: (message: JobMessage) => void,
  at: () => string = () => 'before its end',
): RunningJob {
  const trainer = spawn();
  let end: JobEnd | CotuneError | undefined;
  let stopping = false;
  let killTimer: NodeJS.Timeout | undefined;
  const killAfter = (ms: number) => {
    clearTimeout(killTimer);
    killTimer = setTimeout(() => trainer.kill(), ms);
    killTimer.unref();
  };

  const ended = new Promise<JobEnd>((resolve, reject) => {
    trainer.onMessage((message) => {
      if (end) return;
      switch (message.type) {
        case 'ready':
          trainer.send(stopping ? { type: 'stop' } : { type: 'start', job });
          return;
        case 'finished':
          end = { type: 'finished', result: message.result };
          killAfter(exitGrace);
          return;
        case 'stopped':
          end = { type: 'stopped' };
          killAfter(exitGrace);
          return;
        case 'failed':
          end = new CotuneError(message.error.code, message.error.message, message.error.hint);
          killAfter(exitGrace);
          return;
        default:
          try {
            onMessage(message);
          } catch (error) {
            // What cannot be written down ends the job: a run whose record has holes must not look complete.
            end = asCotuneError(error);
            trainer.kill();
          }
      }
    });
    trainer.onExit((exit) => {
      clearTimeout(killTimer);
      end ??= stopping ? { type: 'stopped' } : trainerDeath(exit, at());
      if (end instanceof CotuneError) reject(end);
      else resolve(end);
    });
  });

  return {
    get pid() {
      return trainer.pid;
    },
    ended,
    stop(graceMs = stopGrace) {
      stopping = true;
      trainer.send({ type: 'stop' });
      killAfter(graceMs);
    },
    kill() {
      stopping = true;
      trainer.kill();
    },
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
