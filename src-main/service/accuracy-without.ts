import type { CallOutput } from '../../src-shared/contract.ts';
import type { Dataset, FindingKindName } from '../../src-shared/domain.ts';
import type { Store } from '../store/store.ts';

/**
 * How the test accuracy of the last finished run on a dataset changes without some images, from its stored predictions: those named
 * by open findings of a kind, those given, and those that are excluded. Null without such a run.
 */
export function accuracyWithout(
  store: Store,
  dataset: Dataset,
  { kind, samples = [] }: { kind?: FindingKindName; samples?: readonly number[] },
): CallOutput<'datasets.accuracyWithout'> {
  const run = store.runs
    .list({ dataset: dataset.id, status: 'finished' })
    .find(({ id }) => store.predictions.file(id, 'test') !== undefined);
  if (!run) return null;
  const left = new Set([
    ...samples,
    ...store.samples.excludedIds(dataset.id),
    ...(kind ? store.findings.openSamples(dataset.id, kind) : []),
  ]);
  const reading = store.predictions.read(run.id, 'test');
  let step = reading.next();
  while (!step.done) step = reading.next();
  const predicted = step.value;
  if (!predicted) return null;
  const all = { images: 0, correct: 0 };
  const without = { images: 0, correct: 0 };
  for (const [i, id] of predicted.sampleIds.entries()) {
    const correct = Number(predicted.predicted[i] === predicted.labels[i]);
    all.images++;
    all.correct += correct;
    if (left.has(id)) continue;
    without.images++;
    without.correct += correct;
  }
  return { run: run.id, all, without };
}
