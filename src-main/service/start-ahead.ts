import type { FromTrainer, Job } from '../trainer/protocol.ts';
import type { SpawnTrainer, TrainerExit } from './spawn-trainer.ts';

/**
 * Starts a trainer process now, which is the first that `spawn` hands out: it loads what a job of that kind needs while the job is
 * still being prepared. `end` kills it where nobody asked for it.
 */
export function startAhead(spawn: SpawnTrainer, kind: Job['kind']): { spawn: SpawnTrainer; end(): void } {
  const early: FromTrainer[] = [];
  let hear = (message: FromTrainer): void => void early.push(message);
  const first = spawn();
  first.onMessage((message) => hear(message));
  first.send({ type: 'expect', kind });
  const exited = new Promise<TrainerExit>((resolve) => first.onExit(resolve));
  let isTaken = false;
  return {
    spawn() {
      if (isTaken) return spawn();
      isTaken = true;
      return {
        get pid() {
          return first.pid;
        },
        send: first.send,
        kill: first.kill,
        onMessage(listener) {
          // Whoever asked for it is not ready to listen before its turn is over, as with a fresh process.
          queueMicrotask(() => {
            hear = listener;
            for (const message of early.splice(0)) listener(message);
          });
        },
        onExit: (listener) => void exited.then(listener),
      };
    },
    end() {
      if (!isTaken) first.kill();
    },
  };
}
