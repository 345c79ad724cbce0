import { CotuneError } from '../../src-shared/errors.ts';
import { describeFormat } from '../data/formats/describe-format.ts';
import { datasetFormats } from '../data/formats/index.ts';
import type { Context, Handlers } from './context.ts';
import { datasetPlace } from './dataset-place.ts';
import { startImport } from './import-dataset.ts';
import { findDataset } from './lookup.ts';
import { listSamples } from './sample-list.ts';
import { removeUnpacked } from './unpacked-datasets.ts';
import { writeList } from './write-list.ts';

type Names =
  | `datasets.${'list' | 'formats' | 'get' | 'preview' | 'import' | 'samples' | 'groups' | 'findings' | 'writeList' | 'delete'}`
  | 'samples.get';

/** As many as one can choose from. */
const mostGroups = 1000;

export function datasetCalls(context: Context): Handlers<Names> {
  const { store, emit, reader, home } = context;
  return {
    'datasets.list': () => store.datasets.list(),
    'datasets.formats': () => datasetFormats.map(describeFormat),
    'datasets.get': ({ dataset }) => findDataset(store, dataset),
    'datasets.preview': ({ path, choice }) => {
      const dataset = datasetPlace(path);
      return reader.read('preview', { dataset, choice, unpackedFolder: home.unpacked }, dataset.folder);
    },
    'datasets.writeList': (input) => writeList(context, input),
    'datasets.import': (input) => startImport(context, input),
    'datasets.samples': (input) => listSamples(context, input),
    'datasets.groups': ({ dataset }) => store.samples.groups(findDataset(store, dataset).id, mostGroups),
    'datasets.findings': ({ dataset, offset, limit, ...filter }) =>
      store.findings.page(findDataset(store, dataset).id, filter, offset, limit),
    'datasets.delete': ({ dataset }) => {
      const { id, name, path } = findDataset(store, dataset);
      const busy = (['running', 'queued'] as const).flatMap((status) =>
        store.runs.list({ dataset: id, status }),
      );
      if (busy.length > 0) {
        throw new CotuneError(
          'conflict',
          `The dataset "${name}" is used by run ${busy.map((run) => run.id).join(', ')}, queued or running.`,
          'Stop or delete those runs first.',
        );
      }
      store.datasets.delete(id);
      removeUnpacked(context, path);
      emit('datasets.changed', {});
      return { ok: true };
    },
    'samples.get': ({ sample }) => {
      const found = store.samples.get(sample);
      if (!found) throw new CotuneError('not-found', `There is no image ${sample}.`);
      return found;
    },
  };
}
