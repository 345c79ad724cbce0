import type { FromTrainer, ToTrainer } from '../trainer/protocol.ts';
import type { SpawnTrainer, TrainerExit } from './spawn-trainer.ts';

/** Time from its last word to its end that a trainer gets before it is killed. */
const exitGrace = 5_000;

export type TrainerConnection = ReturnType<typeof connectTrainer>;

/** Starts a trainer process, whose words go to one listener after another. */
export function connectTrainer(spawn: SpawnTrainer) {
  const trainer = spawn();
  let listener: (message: FromTrainer) => void = () => {};
  let killTimer: NodeJS.Timeout | undefined;
  trainer.onMessage((message) => listener(message));
  const exited = new Promise<TrainerExit>((resolve) => trainer.onExit(resolve));
  void exited.then(() => clearTimeout(killTimer));

  function killAfter(ms = exitGrace): void {
    clearTimeout(killTimer);
    killTimer = setTimeout(() => trainer.kill(), ms);
    killTimer.unref();
  }
  return {
    get pid() {
      return trainer.pid;
    },
    /** Resolves when the process is gone. */
    exited,
    send: (message: ToTrainer): void => trainer.send(message),
    /** Everything that it says from now on goes to `hear`. */
    listen(hear: (message: FromTrainer) => void): void {
      listener = hear;
    },
    /** Kills it where it is still there by then; `spare` takes that back. */
    killAfter,
    kill: (): void => trainer.kill(),
    spare: (): void => clearTimeout(killTimer),
    /** Ends it while it has nothing to do. */
    async end(): Promise<void> {
      trainer.send({ type: 'stop' });
      killAfter();
      await exited;
    },
  };
}
