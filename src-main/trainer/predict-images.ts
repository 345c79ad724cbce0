import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import { inspectModelFile } from '../backbones/inspect.ts';
import { openEvaluationBatches } from '../data/batches.ts';
import { openEngine } from '../engine/open.ts';
import { evaluationProgram } from '../transfer/evaluation-program.ts';
import { openTrained } from './evaluate-weights.ts';
import { softmaxRows } from './predict-logits.ts';
import type { FromTrainer, PredictJob } from './protocol.ts';

/** Classifies images one by one, so that an unreadable one costs no other its answer. */
export async function predictImages(
  job: PredictJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const engine = await openEngine(job.engine, { cacheFolder: job.cacheFolder });
  report({ type: 'engine', engine: engine.info });
  const model = await inspectModelFile(job.weightsPath);
  const { network, weights } = openTrained(job.weightsPath, model);
  const program = evaluationProgram(network, 'source', 1, job.size);
  const executable = await engine.compile(program, { constants: weights, consumes: true });
  const images = {
    batch: 1,
    size: job.size,
    preprocessing: model.preprocessing,
    cacheFolder: job.cacheFolder,
  };
  for (const [index, path] of job.paths.entries()) {
    signal.throwIfAborted();
    try {
      const hash = createHash('sha256')
        .update(await read(path))
        .digest('hex');
      const samples = [{ id: index, path, hash, label: 0 }];
      for await (const batch of await openEvaluationBatches({ samples, ...images })) {
        const { logits } = await executable.run({ images: batch.images });
        const probabilities = softmaxRows(logits as Float32Array, network.sourceClasses);
        report({ type: 'predicted', path, probabilities, error: null });
      }
    } catch (error) {
      report({ type: 'predicted', path, probabilities: null, error: toErrorValue(error) });
    }
    report({ type: 'progress', phase: 'evaluate', done: index + 1, total: job.paths.length });
  }
  await engine.dispose();
}

const read = (path: string): Promise<Buffer> =>
  readFile(path).catch((error: Error) => {
    throw new CotuneError('not-found', `${path} cannot be read: ${error.message}.`, 'Check the path.');
  });
