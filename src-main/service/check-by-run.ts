import type { Dataset } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { openRows } from '../formats/npy-rows.ts';
import type { Context } from './context.ts';
import { findRun } from './lookup.ts';

/** Images looked up at once, and numbers that are held at most: 400 MB. */
const pageLength = 1000;
const mostNumbers = 5e7;
const mostSuspects = 2000;

export interface RunSuspect {
  sample: number;
  given: string;
  suggested: string;
  givenP: number;
  suggestedP: number;
  score: number;
}

/**
 * Likely wrong labels among the test images of a finished run, which its network has not seen, from its stored predictions, and the images that it was looked for in. Errors:
 * `bad-input` for a run on another dataset, or with more predictions than are held at once; `conflict` without predictions.
 */
export async function suspectsOfRun(
  { store, home }: Context,
  dataset: Dataset,
  id: number,
): Promise<{ suspects: RunSuspect[]; seen: number[] }> {
  const run = findRun(store, id);
  if (run.datasetId !== dataset.id)
    throw new CotuneError(
      'bad-input',
      `Run ${id} is not on the dataset "${dataset.name}".`,
      'Name one that is.',
    );
  const file = store.predictions.file(id, 'test');
  if (!file)
    throw new CotuneError(
      'conflict',
      `Run ${id} has no predictions: it is ${run.status}.`,
      'Wait for its end.',
    );
  if (file.rows * file.columns > mostNumbers)
    throw new CotuneError(
      'bad-input',
      `Run ${id} has too many predictions to be checked at once.`,
      'Check with a network: --model NAME.',
    );
  const names = store.runs.record(id)!.targetClasses;
  const data = new Float64Array(file.rows * file.columns);
  const labels = new Int32Array(file.rows);
  const samples = new Float64Array(file.rows);
  const rows = openRows({ ...file, path: home.fromStored(file.path) });
  try {
    for (let offset = 0; offset < file.rows; offset += pageLength)
      for (const { position, sample } of store.predictions.page(id, 'test', {}, offset, pageLength)
        .predictions) {
        data.set(rows.read(position), position * file.columns);
        labels[position] = sample.label;
        samples[position] = sample.id;
      }
  } finally {
    rows.close();
  }
  // Loaded here, not above: the methods bring tf.js along.
  const { likelyWrong } = await import('../transfer/confident-learning.ts');
  const found = likelyWrong({ data, rows: file.rows, columns: file.columns }, labels, mostSuspects);
  const suspects = found.map(({ image, suggested, ...suspect }) => ({
    sample: samples[image],
    given: names[labels[image]],
    suggested: names[suggested],
    ...suspect,
  }));
  return { suspects, seen: [...samples] };
}
