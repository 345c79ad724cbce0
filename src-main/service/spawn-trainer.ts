import type { FromTrainer, ToTrainer } from '../trainer/protocol.ts';

/** How a trainer process ended. */
export interface TrainerExit {
  code: number | null;
  /** Signal name where one ended it, e.g. SIGKILL. */
  signal: string | null;
  /** The end of what it wrote to stderr since its last job began, at most a few kilobytes. */
  stderr: string;
}

/** A trainer process as the service sees it, whatever spawned it. */
interface TrainerProcess {
  /** Undefined until the system has made the process. */
  readonly pid: number | undefined;
  send(message: ToTrainer): void;
  onMessage(listener: (message: FromTrainer) => void): void;
  /** Called once; also where the process could not be started. */
  onExit(listener: (exit: TrainerExit) => void): void;
  /** Ends it at once (SIGKILL). */
  kill(): void;
}

/** Starts one trainer process: the seam between the service and its host. */
export type SpawnTrainer = () => TrainerProcess;
