import { join } from 'node:path';
import { readNetwork } from '../backbones/network-file.ts';
import { taskOf } from '../tasks/index.ts';
import { termsOf } from '../transfer/catalog.ts';
import { newHead } from '../transfer/initial-state.ts';
import { belongsToHead } from '../transfer/network.ts';
import { beginRun } from './begin-run.ts';
import type { KeptEngine } from './kept-engine.ts';
import { leaveOutOf } from './leave-out-of.ts';
import { prepareTerms } from './prepare-terms.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';
import { stopwatch } from './stopwatch.ts';
import { testTrained } from './test-trained.ts';

/**
 * A run of a method in closed form: what it prepares is the trained network. One that was stopped begins again, with what is
 * kept of the images' features. Throws the signal's reason when stopped.
 */
export async function solve(
  job: TrainJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
  engines: KeptEngine,
): Promise<void> {
  const { config } = job;
  const engine = await beginRun(job, report, engines);
  const watch = stopwatch(null);
  const task = taskOf(job.task);
  const { file, network } = task.openSource(job.model, job.classNames);
  const unusable = leaveOutOf(job, report);
  const weights = () => readNetwork(file, file.tensors);
  const tools = { engine, network, file, unusable, weights };
  const solved = await watch.time('relationship_s', () =>
    prepareTerms(termsOf(config.method), tools, job, report, signal),
  );
  signal.throwIfAborted();
  const weightsPath = join(job.runFolder, 'weights.safetensors');
  task.writeTrained(weightsPath, network, { ...newHead(network, config.seed), ...weights(), ...solved }, job);
  const keepsBackbone = Object.keys(solved).every((name) => belongsToHead(network, name));
  await testTrained(weightsPath, 0, engine, { ...job, unusable, keepsBackbone }, watch, report, signal);
}
