import { csvLine } from '../../src-shared/csv.ts';
import { type Run, type Split, splits } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { openRows } from '../formats/npy-rows.ts';
import { writeWholeMeanwhile } from '../formats/write-whole.ts';
import type { Placed } from '../store/predictions.ts';
import type { Store } from '../store/store.ts';
import type { Context } from './context.ts';

/** Predictions asked from the store at once. */
const pageLength = 1000;
/** Numbers written as text at once: some milliseconds. */
const numbersAtOnce = 20_000;

/**
 * Writes a run's predictions as a table, whole or not at all: one line per image with path, split, classes, confidence and the
 * probability of every class. Other work goes on between its blocks. Errors: `conflict` where the run has none.
 */
export async function writePredictionsTable(context: Context, run: Run, path: string): Promise<void> {
  const names = context.store.runs.record(run.id)!.targetClasses;
  if (splits.every((split) => !context.store.predictions.file(run.id, split)))
    throw new CotuneError(
      'conflict',
      `Run ${run.id} has no predictions: it is ${run.status}.`,
      'Wait for its end, or choose a finished run.',
    );
  await writeWholeMeanwhile(path, table(context, run, names));
}

function* table(context: Context, run: Run, names: string[]): Generator<string> {
  if (taskNamed(run.task).classesOf === 'entities') return yield* taggedTable(context, run.id);
  yield csvLine(['path', 'split', 'label', 'predicted', 'confidence', ...names.map((name) => `p(${name})`)]);
  for (const split of splits) yield* lines(context, run.id, split, names);
}

/** Of texts with tags: a line for each, with both. */
function* taggedTable({ store }: Context, run: number): Generator<string> {
  yield csvLine(['path', 'split', 'text', 'tags', 'predicted', 'confidence', 'errors']);
  for (const split of splits)
    for (const predictions of pages(store, run, split))
      yield predictions
        .map(({ sample, tags = [], confidence, predicted }) => {
          const { text, tags: given } = sample.text!;
          return csvLine([sample.path, split, text, given!.join(' '), tags.join(' '), confidence, predicted]);
        })
        .join('');
}

function* lines({ store, home }: Context, run: number, split: Split, names: string[]): Generator<string> {
  const file = store.predictions.file(run, split);
  if (!file) return;
  const probabilities = openRows({ ...file, path: home.fromStored(file.path) });
  const atOnce = Math.max(1, Math.floor(numbersAtOnce / file.columns));
  try {
    for (const predictions of pages(store, run, split))
      for (let i = 0; i < predictions.length; i += atOnce)
        yield predictions
          .slice(i, i + atOnce)
          .map(({ sample, predicted, confidence, position }) => {
            const texts = [sample.path, split, names[sample.label], names[predicted]];
            return csvLine([...texts, confidence, ...probabilities.read(position)]);
          })
          .join('');
  } finally {
    probabilities.close();
  }
}

function* pages({ predictions }: Store, run: number, split: Split): Generator<Placed[]> {
  for (let offset = 0, more = true; more; offset += pageLength) {
    const page = predictions.page(run, split, {}, offset, pageLength);
    yield page.predictions;
    more = offset + pageLength < page.total;
  }
}
