import { ofImages } from '../../src-shared/run-settings.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Engine } from '../engine/engine.ts';
import { evaluationOf } from '../transfer/catalog.ts';
import { likelyWrong } from '../transfer/confident-learning.ts';
import { evaluateSplits, openTrained } from './evaluate-weights.ts';
import type { FromTrainer, JobSample, TrainJob } from './protocol.ts';
import { reportPredictions } from './report-predictions.ts';
import type { stopwatch } from './stopwatch.ts';

/** The end of a run of so many `steps`: the file that is kept is what is tested, once. */
export async function testTrained(
  weightsPath: string,
  steps: number,
  engine: Engine,
  {
    model,
    config,
    samples,
    cacheFolder,
    unusable,
  }: Pick<TrainJob, 'model' | 'config' | 'samples' | 'cacheFolder'> & { unusable: UnusableImages },
  watch: ReturnType<typeof stopwatch>,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { size, batch, select } = config;
  // On the way the center crop is enough; the weights that are tested are seen as the configuration says.
  const { views } = evaluationOf(ofImages(config).evaluation);
  const images = { size, preprocessing: model.preprocessing, cacheFolder, unusable, views };
  const trained = openTrained(weightsPath, model);
  const total = samples.val.length + samples.test.length;
  report({ type: 'progress', phase: 'evaluate', done: 0, total });
  const { val, test } = await watch.time('evaluate_s', () =>
    evaluateSplits(engine, trained, { val: samples.val, test: samples.test }, images, (done) => {
      signal.throwIfAborted();
      report({ type: 'progress', phase: 'evaluate', done, total });
    }),
  );
  reportPredictions(report, 'val', val.sampleIds, val.probabilities);
  reportPredictions(report, 'test', test.sampleIds, test.probabilities);
  if (val.metrics && select === 'last' && views.length === 1)
    report({
      type: 'metrics',
      step: steps,
      values: { val_accuracy: val.metrics.accuracy, val_nll: val.metrics.nll },
    });
  const suspects = test.metrics && countSuspects(test, samples.test);
  const timing = watch.summary(steps * batch);
  report({
    type: 'finished',
    result: { steps, test: test.metrics, val: val.metrics, suspects, timing, weightsPath },
  });
}

/** How many labels confident learning doubts, of images that the network has not seen. */
function countSuspects(
  { sampleIds, probabilities }: { sampleIds: Int32Array; probabilities: Float32Array },
  samples: readonly JobSample[],
): number {
  const labelOf = new Map(samples.map(({ id, label }) => [id, label]));
  const labels = Int32Array.from(sampleIds, (id) => labelOf.get(id)!);
  const [rows, columns] = [labels.length, probabilities.length / labels.length];
  return likelyWrong({ data: probabilities, rows, columns }, labels, rows).length;
}
