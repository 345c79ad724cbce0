import type { z } from 'zod';
import type { CallOutput, Calls } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Store } from '../store/store.ts';
import type { Context } from './context.ts';
import type { KeptFeatures } from './kept-features.ts';
import { labelFilter } from './label-filter.ts';
import { findDataset, findRun } from './lookup.ts';
import { samplesOfRun } from './run-samples.ts';

type Input = z.output<Calls['datasets.samples']['input']>;

/** What runs used a dataset's images for: the last one that was asked about. A page asks for the same again and again. */
let asked: { key: string; among: number[] } | null = null;

/** A page of a dataset's images by a filter, or those that are named. Errors: `not-found`; `bad-input` where a filter needs a run. */
export function listSamples(
  { store, features }: Pick<Context, 'store' | 'features'>,
  { dataset: name, ids, offset, limit, part, label, like, ...filter }: Input,
): CallOutput<'datasets.samples'> {
  const dataset = findDataset(store, name);
  if (ids) {
    const samples = store.samples.byIds(ids).filter((sample) => sample.dataset === dataset.id);
    return { total: samples.length, samples };
  }
  const { run: id, outcome, predicted, order } = filter;
  if (id === undefined && (outcome || predicted !== undefined || part || order !== 'class'))
    throw new CotuneError(
      'bad-input',
      'Images are filtered and ordered by predictions without a run that made them.',
      'Name a run on this dataset.',
    );
  if (id !== undefined && findRun(store, id).datasetId !== dataset.id)
    throw new CotuneError(
      'bad-input',
      `Run ${id} is not on the dataset "${dataset.name}".`,
      'Name a run on this dataset.',
    );
  const among = part && usedAs(store, id!, part);
  const wanted = {
    ...filter,
    ...labelFilter(dataset.task, dataset.classes, label),
    among,
    ranked: like && likeOne(features, name, like),
  };
  return store.samples.page(dataset.id, wanted, offset, limit);
}

const likeOne = (
  features: KeptFeatures,
  dataset: string,
  { sample, ...network }: NonNullable<Input['like']>,
): number[] => features.byLikeness({ dataset, ...network }, sample).map((one) => one.sample);

function usedAs(store: Store, id: number, part: NonNullable<Input['part']>): number[] {
  const run = findRun(store, id);
  const dataset = store.datasets.get(run.datasetId!)!;
  const key = JSON.stringify([store.path, id, part, dataset.hash]);
  if (asked?.key === key) return asked.among;
  const { samples } = samplesOfRun(store, dataset, run);
  const used = part === 'unused' ? Object.values(samples).flat() : samples[part];
  const ids = new Set(used.map((sample) => sample.id));
  const among =
    part === 'unused'
      ? store.samples.all(dataset.id).flatMap((sample) => (ids.has(sample.id) ? [] : [sample.id]))
      : [...ids];
  asked = { key, among };
  return among;
}
