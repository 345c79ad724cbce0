import type { FromTrainer, ToTrainer } from '../trainer/protocol.ts';
import type { ProcessExit, ServiceProcess } from './spawn-process.ts';

export type TrainerExit = ProcessExit;

/** Starts one trainer process: the seam between the service and its host. */
export type SpawnTrainer = () => ServiceProcess<ToTrainer, FromTrainer>;
