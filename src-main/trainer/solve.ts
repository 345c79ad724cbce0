import { join } from 'node:path';
import { readNetwork } from '../backbones/network-file.ts';
import { makeFolder } from '../formats/make-folder.ts';
import { termsOf } from '../transfer/catalog.ts';
import type { KeptEngine } from './kept-engine.ts';
import { leaveOutOf } from './leave-out-of.ts';
import { openSource } from './open-source.ts';
import { prepareTerms } from './prepare-terms.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';
import { stopwatch } from './stopwatch.ts';
import { testTrained } from './test-trained.ts';
import { writeTrainedWeights } from './trained-weights.ts';

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
  const { config, model, cacheFolder } = job;
  report({ type: 'progress', phase: 'starting', done: 0, total: 1 });
  makeFolder(job.runFolder);
  const engine = await engines.open({ ...config, cacheFolder });
  report({ type: 'engine', engine: engine.info });
  if (engine.choice) report({ type: 'note', text: engine.choice });
  const watch = stopwatch(null);
  const { file, network } = openSource(model, job.targetClasses);
  const unusable = leaveOutOf(job, report);
  const solved = await watch.time('relationship_s', () =>
    prepareTerms(
      termsOf(config.method),
      { engine, network, file, unusable, weights: () => readNetwork(file, file.tensors) },
      job,
      report,
      signal,
    ),
  );
  signal.throwIfAborted();
  const weightsPath = join(job.runFolder, 'weights.safetensors');
  writeTrainedWeights(weightsPath, network, { ...readNetwork(file, file.tensors), ...solved }, job);
  await testTrained(weightsPath, 0, engine, { ...job, unusable }, watch, report, signal);
}
