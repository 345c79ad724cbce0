import { join, parse, resolve } from 'node:path';
import type { CallOutput, ViewedHead } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import { makeFolder } from '../formats/make-folder.ts';
import { checkOutput } from '../formats/output-file.ts';
import type { ActivationMap, ExplainJob } from '../trainer/protocol.ts';
import type { Context, Handlers } from './context.ts';
import { imagePaths } from './image-paths.ts';
import { unpackFor } from './image-places.ts';
import { findImageRun } from './lookup.ts';
import { mostProbable } from './most-probable.ts';
import { jobModel, jobSample } from './run-samples.ts';
import { trainedWeights } from './trained-weights.ts';

type Names = 'runs.explain' | 'runs.meanMap';
type Explained = CallOutput<'runs.explain'>[number];

/** Images that a mean map is of, spread over all there are: what they have in common shows long before. */
const meanOf = 100;

/** Where the networks of runs look. */
export function explainCalls(context: Context): Handlers<Names> {
  const { store, jobs } = context;
  return {
    'runs.explain': async ({ run: id, head, label: wanted, samples, paths, out, overwrite }) => {
      const view = viewOf(context, findImageRun(store, id), head);
      const label = wanted === undefined ? null : labelOf(view.names, wanted);
      const files = (await imagePaths(paths)).map((path) => ({
        sample: null,
        path,
        image: { path: resolve(path) },
      }));
      const named = [...(await Promise.all(samples.map((sample) => imageOf(context, sample)))), ...files];
      if (named.length === 0)
        throw new CotuneError('bad-input', 'No image is named.', 'Name samples, or image files.');
      const overlays = out === undefined ? [] : overlaysIn(resolve(out), named, overwrite);
      const images = named.map(({ image }, i) => ({ ...image, overlay: overlays[i] }));
      const found: Pick<Explained, 'map' | 'error'>[] = [];
      await jobs.perform(
        { ...view.job, images, label, mean: false },
        {
          hear: (message) => {
            if (message.type !== 'explained') return;
            found.push({ error: message.error, map: message.map && toContract(message.map, view.names) });
          },
        },
      );
      return named.map(({ sample, path }, i) => {
        if (!found[i]) throw new CotuneError('failed', `The trainer said nothing about ${path}.`);
        return { sample, path, ...found[i], overlay: (found[i].map && overlays[i]) ?? null };
      });
    },
    'runs.meanMap': async ({ run: id, head, label, split }) => {
      const run = findImageRun(store, id);
      const view = viewOf(context, run, head);
      labelOf(store.runs.record(id)!.targetClasses, label);
      const { total, predictions } = store.predictions.page(id, split, { label }, 0, 1000);
      if (total === 0)
        throw new CotuneError(
          'not-found',
          `Run ${id} has predicted no ${split} image of this class.`,
          'Choose another class or split.',
        );
      const step = Math.max(1, predictions.length / meanOf);
      const images = await Promise.all(
        Array.from({ length: Math.min(meanOf, predictions.length) }, (_, i) =>
          imageOf(context, predictions[Math.floor(i * step)].sample.id),
        ),
      );
      const mean = await jobs.ask(
        {
          ...view.job,
          images: images.map(({ image }) => image),
          label: head === 'target' ? label : null,
          mean: true,
        },
        'a map',
        (message) => (message.type === 'mean-map' ? message : undefined),
      );
      if (!mean.map)
        throw new CotuneError(
          'not-found',
          `None of ${images.length} images of this class can be read.`,
          'Put the files back, or import the dataset again.',
        );
      return { map: { ...mean.map, values: [...mean.map.values] }, images: mean.images };
    },
  };
}

/** A job's network and what it calls its classes. Errors: `conflict`, `unavailable`, `not-found`, `bad-input` where there is none. */
function viewOf(
  context: Context,
  run: Run,
  head: ViewedHead,
): { names: string[]; job: Pick<ExplainJob, 'kind' | 'engine' | 'network' | 'size' | 'cacheFolder'> } {
  const { store, home } = context;
  const { engine, size, resize } = run.config;
  const common = { kind: 'explain' as const, engine, size, cacheFolder: home.cache };
  if (head === 'target')
    return {
      names: store.runs.record(run.id)!.targetClasses,
      job: { ...common, network: trainedWeights(context, run) },
    };
  const model = store.models.getByHash(run.modelHash);
  if (!model)
    throw new CotuneError(
      'not-found',
      `The model "${run.config.model}" that run ${run.id} began with is gone.`,
      'Add the same weights file again.',
    );
  if (model.sourceClasses.length === 0)
    throw new CotuneError(
      'bad-input',
      `The model "${model.name}" has no source head to look through.`,
      'Look through the head of the run.',
    );
  return { names: model.sourceClasses, job: { ...common, network: jobModel(home, model, resize?.name) } };
}

/** Errors: `not-found`. */
async function imageOf(context: Context, id: number) {
  const { store, home } = context;
  const sample = store.samples.stamped(id);
  const folder = sample && store.datasets.folder(sample.dataset);
  if (!sample || folder === undefined) throw new CotuneError('not-found', `There is no image ${id}.`);
  await unpackFor(context, folder, [sample]);
  return { sample: id, path: sample.path, image: jobSample(home, folder, sample) };
}

/** Where the pictures with maps go: a file for each, named after it. Errors: as `makeFolder` and `checkOutput`. */
function overlaysIn(folder: string, images: readonly { path: string }[], overwrite: boolean): string[] {
  makeFolder(folder);
  const taken = new Set<string>();
  return images.map(({ path }) => {
    const { name } = parse(path);
    const free = (number: number): string => {
      const file = join(folder, `${name}${number > 1 ? `-${number}` : ''}.png`);
      return taken.has(file.toLowerCase()) ? free(number + 1) : file;
    };
    const file = free(1);
    taken.add(file.toLowerCase());
    checkOutput(file, overwrite);
    return file;
  });
}

/** A class by its number or name. Errors: `not-found`, with the nearest name. */
function labelOf(names: readonly string[], wanted: number | string): number {
  const label = typeof wanted === 'number' ? wanted : names.indexOf(wanted);
  if (label >= 0 && label < names.length) return label;
  const near = nearest(String(wanted), names);
  throw new CotuneError(
    'not-found',
    `The head has no class "${wanted}": it tells ${names.length} apart.`,
    near ? `Did you mean "${near}"?` : `The first are ${names.slice(0, 5).join(', ')}.`,
  );
}

const toContract = (map: ActivationMap, names: readonly string[]): NonNullable<Explained['map']> => ({
  how: map.how,
  rows: map.rows,
  columns: map.columns,
  values: [...map.values],
  label: map.label,
  name: names[map.label],
  p: map.probabilities[map.label],
  top: mostProbable(map.probabilities, names),
  region: map.region,
});
