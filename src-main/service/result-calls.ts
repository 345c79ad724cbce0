import type { Evaluation } from '../../src-shared/contract.ts';
import type { Run, Split } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { evaluate } from '../../src-shared/metrics.ts';
import { evaluateTagged } from '../../src-shared/tagged-evaluation.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { Context, Handlers } from './context.ts';
import { inSlices } from './in-slices.ts';
import { labelFilter } from './label-filter.ts';
import { findRun } from './lookup.ts';

type Names = 'runs.evaluation' | 'runs.predictions';

/** Evaluations kept in memory: a person goes back and forth between a few runs. */
const keptEvaluations = 16;

/** What finished runs predicted. */
export function resultCalls({ store }: Context): Handlers<Names> {
  const evaluations = new Map<string, Evaluation>();

  async function evaluateRun(run: Run, split: Split): Promise<Evaluation> {
    const metrics = split === 'train' ? null : run[split];
    if (taskNamed(run.task).classesOf === 'entities' && metrics)
      return evaluateTagged(
        store.predictions.tagged(run.id, split),
        store.runs.record(run.id)!.targetClasses,
        split,
        metrics,
      );
    const predicted = await inSlices(store.predictions.read(run.id, split));
    if (!predicted) throw nothingPredicted(run, split);
    return evaluate(predicted, store.runs.record(run.id)!.targetClasses, split);
  }

  return {
    'runs.evaluation': async ({ run: id, split }) => {
      const run = findRun(store, id);
      const key = JSON.stringify([id, split, run.status, run.finishedAt]);
      const evaluation = evaluations.get(key) ?? (await evaluateRun(run, split));
      evaluations.delete(key);
      evaluations.set(key, evaluation);
      if (evaluations.size > keptEvaluations) evaluations.delete(evaluations.keys().next().value!);
      return evaluation;
    },
    'runs.predictions': ({ run: id, split, offset, limit, order, label, ...filter }) => {
      const run = findRun(store, id);
      const { targetClasses } = store.runs.record(run.id)!;
      const { total, predictions } = store.predictions.page(
        run.id,
        split,
        { ...filter, ...labelFilter(run.task, targetClasses ?? [], label) },
        offset,
        limit,
        order,
      );
      return { total, predictions: predictions.map(({ position: _, ...prediction }) => prediction) };
    },
  };
}

const nothingPredicted = (run: Run, split: Split): CotuneError =>
  run.status === 'finished'
    ? new CotuneError(
        'not-found',
        `Run ${run.id} had no ${split} images to predict.`,
        'Choose another split.',
      )
    : new CotuneError(
        'conflict',
        `Run ${run.id} has predicted no ${split} image yet: it is ${run.status}.`,
        'Wait for its end, or choose a finished run.',
      );
