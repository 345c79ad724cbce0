import { openEngine } from '../engine/open.ts';
import { taskOf } from '../tasks/index.ts';
import { openBertFile } from '../text/bert-file.ts';
import { textModelIn } from '../text/text-networks.ts';
import type { FromTrainer, PredictTextsJob } from './protocol.ts';

/** What a run's trained network says of texts, which are divided into words where it finds entities. */
export async function predictTexts(
  job: PredictTextsJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const engine = await openEngine(job.engine, { cacheFolder: job.cacheFolder });
  report({ type: 'engine', engine: engine.info });
  const { input } = openBertFile(job.weightsPath, 'pieces');
  const model = textModelIn(job.weightsPath, input, job.longest);
  const task = taskOf(job.task);
  const trained = task.openTrained(job.weightsPath, model);
  signal.throwIfAborted();
  report({ type: 'predicted-texts', texts: await task.predictTexts!(engine, trained, model, job.texts) });
  await engine.dispose();
}
