import type { RunConfig, SplitMetrics } from '../../src-shared/domain.ts';
import type { Engine } from '../engine/engine.ts';
import { taskOf } from '../tasks/index.ts';
import type { EvaluatedJob } from '../tasks/task.ts';
import { evaluationOf } from '../transfer/catalog.ts';
import { checkRunLabels } from './check-run-labels.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';
import type { stopwatch } from './stopwatch.ts';

/** Whether a run is tested otherwise than it is validated on the way. */
export const isTestedOtherwise = ({ evaluation }: RunConfig): boolean =>
  evaluation !== undefined && evaluationOf(evaluation).views.length > 1;

/** What a validation adds to the curves. */
export const validationCurves = ({ accuracy, nll, entities }: SplitMetrics): Record<string, number> => ({
  val_accuracy: accuracy,
  val_nll: nll,
  ...(entities && { val_entity_f1: entities.f1 }),
});

/** The end of a run of so many `steps`: the file that is kept is what is tested, once. */
export async function testTrained(
  weightsPath: string,
  steps: number,
  engine: Engine,
  job: EvaluatedJob & Pick<TrainJob, 'task' | 'samples'>,
  watch: ReturnType<typeof stopwatch>,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { model, config, samples } = job;
  const task = taskOf(job.task);
  const trained = task.openTrained(weightsPath, model);
  const total = samples.val.length + samples.test.length;
  report({ type: 'progress', phase: 'evaluate', done: 0, total });
  const told = (done: number) => {
    signal.throwIfAborted();
    report({ type: 'progress', phase: 'evaluate', done, total });
  };
  const { val, test } = await watch.time('evaluate_s', () =>
    task.evaluate(engine, trained, { val: samples.val, test: samples.test }, job, true, told),
  );
  for (const message of val.predictions('val')) report(message);
  for (const message of test.predictions('test')) report(message);
  if (val.metrics && config.select === 'last' && !isTestedOtherwise(config))
    report({ type: 'metrics', step: steps, values: validationCurves(val.metrics) });
  // From the first file to the numbers of the test: what is looked at beside comes after, and tells its own time.
  const timing = watch.summary(steps * config.batch);
  const checked = await checkRunLabels(engine, job, timing.total_s, report, signal);
  const suspects =
    checked?.wrongLabels.length ?? (test.metrics && believed(test.suspects(), samples.test.length));
  report({
    type: 'finished',
    result: {
      ...{ steps, test: test.metrics, val: val.metrics, timing, weightsPath },
      ...{ suspects, suspectsAmong: checked ? 'all' : 'test' },
    },
  });
}

/** Doubts about more than this share of the labels tell of a network that has hardly learned anything. */
const mostDoubted = 1 / 5;

/** A count of doubted labels among so many samples; null where the network knows too little to be believed. */
const believed = (doubted: number, samples: number): number | null =>
  doubted <= mostDoubted * samples ? doubted : null;
