import type { SpawnTrainer } from './spawn-trainer.ts';
import { openTrainer, type Trainer } from './trainer-job.ts';

/** How long a process waits for another job, in milliseconds: a person looks at one picture after another. */
const idle = 60_000;

/**
 * One process for one job after another, which keeps what it opened for them. Nobody asking for `idle` milliseconds ends it, so that
 * its memory goes back.
 */
export function openKeptProcess(spawn: SpawnTrainer): Trainer {
  const trainer = openTrainer(spawn);
  let timer: NodeJS.Timeout | undefined;
  return {
    start(...job) {
      clearTimeout(timer);
      const running = trainer.start(...job);
      const rest = () => {
        timer = setTimeout(() => void trainer.end(), idle);
        timer.unref();
      };
      running.ended.then(rest, rest);
      return running;
    },
    end() {
      clearTimeout(timer);
      return trainer.end();
    },
  };
}
