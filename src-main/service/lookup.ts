import type { Dataset, Model, Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { Store } from '../store/store.ts';

interface Named<T> {
  list(): T[];
  get(id: number): T | undefined;
  getByName(name: string): T | undefined;
}

function find<T extends { name: string }>(kind: string, how: string, store: Named<T>, nameOrId: string): T {
  const found =
    store.getByName(nameOrId) ?? (/^\d{1,15}$/.test(nameOrId) ? store.get(Number(nameOrId)) : undefined);
  if (found) return found;
  const names = store.list().map((one) => one.name);
  const near = nearest(nameOrId, names);
  const known = `Known: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}.`;
  throw new CotuneError(
    'not-found',
    `There is no ${kind} "${nameOrId}".`,
    names.length === 0 ? how : near ? `Did you mean "${near}"? ${known}` : known,
  );
}

/** A dataset by name or numeric id. Errors: `not-found`, naming those there are. */
export const findDataset = (store: Store, nameOrId: string): Dataset =>
  find('dataset', 'Import one first: cotune import DIR --name NAME.', store.datasets, nameOrId);

/** The same, of images. Errors: also `bad-input` for one of texts. */
export function findImageDataset(store: Store, nameOrId: string): Dataset {
  const dataset = findDataset(store, nameOrId);
  if (taskNamed(dataset.task).takes === 'texts') throw withTexts(`The dataset "${dataset.name}" holds texts`);
  return dataset;
}

/** A run of images. Errors: `not-found`, `bad-input`. */
export function findImageRun(store: Store, id: number): Run {
  const run = findRun(store, id);
  if (taskNamed(run.task).takes === 'texts') throw withTexts(`Run ${id} is of texts`);
  return run;
}

const withTexts = (what: string): CotuneError =>
  new CotuneError('bad-input', `${what}, and this is done with images.`, 'Choose one of images.');

/** A model by name or numeric id. Errors: `not-found`, naming those there are. */
export const findModel = (store: Store, nameOrId: string): Model =>
  find('model', 'Add one first: cotune models add FILE.safetensors --name NAME.', store.models, nameOrId);

/** Errors: `not-found`. */
export function findRun(store: Store, id: number): Run {
  const run = store.runs.get(id);
  if (!run)
    throw new CotuneError('not-found', `There is no run ${id}.`, 'See `cotune runs` for those there are.');
  return run;
}
