import type { Dataset } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { openRows } from '../formats/npy-rows.ts';
import type { Context } from './context.ts';
import { makeFeatures } from './feature-calls.ts';
import { inSlices } from './in-slices.ts';
import { type AskedFeatures, cosineOf, type Features } from './kept-features.ts';
import { labelFindings, type SuspectLabel, suspectTags } from './label-findings.ts';
import { findRun } from './lookup.ts';
import { replaceFindings } from './replace-findings.ts';
import type { TaskWork } from './tasks.ts';

/** Samples looked up at once, and numbers that are held at most: 400 MB. */
const pageLength = 1000;
const mostNumbers = 5e7;
const mostSuspects = 2000;
/** Images that pass a network for the sake of those that are shown beside a doubted one. */
const mostShown = 50_000;

/**
 * Makes the likely wrong labels among the test samples of a run its dataset's findings, from what it predicted. The nearest training images
 * of either class are by the features of its own network: those of its map where that is made; else every image passes it once, while
 * the findings are there already. Errors: as `suspectsOfRun`; those of a job of features.
 */
export async function checkByRun(
  context: Context,
  dataset: Dataset,
  run: number,
  task: TaskWork,
): Promise<void> {
  const { store } = context;
  const { suspects, seen } = await suspectsOfRun(context, dataset, run);
  const by = { dataset: dataset.name, run };
  const land = (shown: readonly SuspectLabel[]) => {
    const now = store.datasets.get(dataset.id) ?? dataset;
    const findings = labelFindings(store, now, shown, `run ${run}`);
    replaceFindings(context, now, () => store.findings.replaceOf(dataset.id, 'wrong-label', seen, findings));
  };
  const map = suspects.length > 0 ? mapOf(context, dataset, by) : null;
  if (map?.kept) return land(await withNearest(context, dataset, suspects, map.kept));
  land(suspects);
  if (!map) return;
  const shown = await withNearest(context, dataset, suspects, await makeFeatures(context, by, task));
  // In place: somebody may be deciding about them.
  store.transaction(() => {
    for (const { sample, nearestGiven, nearestSuggested } of shown)
      store.findings.showBeside(dataset.id, sample, { nearestGiven, nearestSuggested });
  });
  context.emit('datasets.changed', {});
}

/** What is kept of a run's own features; null where there can be none, or too many images would have to pass its network. */
function mapOf(
  { features }: Pick<Context, 'features'>,
  { task, counts }: Dataset,
  by: AskedFeatures,
): { kept: Features | null } | null {
  const images = counts.train + counts.val + counts.test;
  if (taskNamed(task).takes !== 'images' || images > mostShown) return null;
  try {
    return { kept: features.kept(by) };
  } catch (error) {
    // Its weights are gone: what it predicted is still there.
    if (error instanceof CotuneError) return null;
    throw error;
  }
}

/** With the training images of either class whose features are the most like theirs. */
async function withNearest(
  { store }: Pick<Context, 'store'>,
  { id, classes }: Dataset,
  suspects: readonly SuspectLabel[],
  features: Features,
): Promise<SuspectLabel[]> {
  const trained = store.samples.all(id).filter(({ split }) => split === 'train');
  const ofClass = Map.groupBy(trained, ({ label }) => classes[label]);
  const rowOf = new Map(Array.from(features.ids, (image, row) => [image, row]));
  const nearest = (sample: number, className: string): number | null => {
    const row = rowOf.get(sample);
    if (row === undefined) return null;
    const others = (ofClass.get(className) ?? []).filter(
      (image) => image.id !== sample && rowOf.has(image.id),
    );
    const cosines = others.map((image) => cosineOf(features, row, rowOf.get(image.id)!));
    const best = cosines.indexOf(Math.max(...cosines));
    return others[best]?.id ?? null;
  };
  function* looked(): Generator<void, SuspectLabel[]> {
    const shown: SuspectLabel[] = [];
    for (const suspect of suspects) {
      const { sample, given, suggested } = suspect;
      shown.push({
        ...suspect,
        nearestGiven: nearest(sample, given),
        nearestSuggested: nearest(sample, suggested),
      });
      yield;
    }
    return shown;
  }
  return inSlices(looked());
}

/**
 * Likely wrong labels among the test samples of a finished run, which its network has not seen, from its stored predictions, and the samples that it was looked for in. Errors:
 * `bad-input` for a run on another dataset, or with more predictions than are held at once; `conflict` without predictions, or where a
 * run of before looked at no tags.
 */
async function suspectsOfRun(
  { store, home }: Pick<Context, 'store' | 'home'>,
  dataset: Dataset,
  id: number,
): Promise<{ suspects: SuspectLabel[]; seen: number[] }> {
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
  if (taskNamed(run.task).classesOf === 'entities') {
    const doubted = store.predictions.doubted(id);
    // A count of none would be 0, and a run that is not believed doubts many.
    if (run.suspects === null && doubted.length === 0)
      throw new CotuneError(
        'conflict',
        `Run ${id} was tested before tags were doubted.`,
        'Choose a run of this version of the program.',
      );
    const seen = store.predictions.tagged(id, 'test').map((sentence) => sentence.id);
    return { suspects: suspectTags(doubted), seen };
  }
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
    nearestGiven: null,
    nearestSuggested: null,
  }));
  return { suspects, seen: [...samples] };
}
