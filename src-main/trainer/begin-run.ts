import type { Engine } from '../engine/engine.ts';
import { makeFolder } from '../formats/make-folder.ts';
import type { KeptEngine } from './kept-engine.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';

/** The beginning of every run: its folder, and the engine, which is told. */
export async function beginRun(
  { config, cacheFolder, runFolder }: Pick<TrainJob, 'config' | 'cacheFolder' | 'runFolder'>,
  report: (message: FromTrainer) => void,
  engines: KeptEngine,
): Promise<Engine> {
  report({ type: 'progress', phase: 'starting', done: 0, total: 1 });
  makeFolder(runFolder);
  const engine = await engines.open({ ...config, cacheFolder });
  report({ type: 'engine', engine: engine.info });
  if (engine.choice) report({ type: 'note', text: engine.choice });
  return engine;
}
