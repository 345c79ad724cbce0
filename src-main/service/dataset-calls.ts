import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ImportLayout } from '../../src-shared/contract.ts';
import { type Dataset, FindingKindName, type SampleIssue } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { importFolder } from '../data/import-folder.ts';
import type { Store } from '../store/store.ts';
import type { Context, Handlers } from './context.ts';
import { findDataset } from './lookup.ts';
import type { TaskWork } from './tasks.ts';

type Names = Extract<keyof Handlers, `datasets.${string}` | 'samples.get'>;

export function datasetCalls(context: Context): Handlers<Names> {
  const { store, emit, tasks } = context;
  return {
    'datasets.list': () => store.datasets.list(),
    'datasets.get': ({ dataset }) => findDataset(store, dataset),
    'datasets.import': ({ path, name, seed, layout }) => {
      const folder = resolve(path);
      checkFolder(folder);
      checkName(store.datasets.getByName(name), name, folder);
      return tasks.start('import', `Import ${name}`, (task) =>
        importDataset(context, { folder, name, seed, layout }, task),
      );
    },
    'datasets.samples': ({ dataset, offset, limit, ...filter }) =>
      store.samples.page(findDataset(store, dataset).id, filter, offset, limit),
    'datasets.findings': ({ dataset, offset, limit, ...filter }) =>
      store.findings.page(findDataset(store, dataset).id, filter, offset, limit),
    'datasets.delete': ({ dataset }) => {
      const { id, name } = findDataset(store, dataset);
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

function checkFolder(folder: string): void {
  if (!existsSync(folder)) {
    throw new CotuneError('not-found', `The folder ${folder} does not exist.`, 'Check the path.');
  }
  if (!statSync(folder).isDirectory()) {
    throw new CotuneError(
      'bad-input',
      `${folder} is a file, not a folder.`,
      'Name the folder that holds one folder per class.',
    );
  }
}

/** A name stays with its folder, unless that folder is gone: then it has moved. */
function checkName(known: Dataset | undefined, name: string, folder: string): void {
  if (/^\d+$/.test(name)) {
    throw new CotuneError(
      'bad-input',
      `The name "${name}" is a number.`,
      'Numbers stand for ids; add a letter.',
    );
  }
  if (known && known.path !== folder && existsSync(known.path)) {
    throw new CotuneError(
      'conflict',
      `The name "${name}" belongs to the dataset imported from ${known.path}.`,
      'Choose another name, or delete that dataset first.',
    );
  }
}

/** Findings of the last import that need no second look at files which are still what they were. */
const priorIssues = ({ findings }: Store, dataset: number): SampleIssue[] => [
  ...findings.duplicates(dataset),
  ...findings.ofKind(dataset, 'unusual'),
];

interface ImportRequest {
  folder: string;
  name: string;
  seed: number;
  layout?: ImportLayout;
}

async function importDataset(
  { store, emit, reader }: Context,
  { folder, name, seed, layout }: ImportRequest,
  task: TaskWork,
): Promise<number> {
  const importedAt = new Date().toISOString();
  const known = store.datasets.getByName(name);
  const before = known ? store.samples.all(known.id) : [];
  // What a person once said about these folders holds until they say something else.
  const said = layout ?? (known?.path === folder ? store.datasets.layout(known.id) : null);
  const found = await importFolder(folder, {
    readFacts: (path) => reader.read('image-facts', { path }, folder),
    seed,
    layout: said ?? undefined,
    previous: known && { samples: before, issues: priorIssues(store, known.id) },
    onProgress: task.progress,
    signal: task.signal,
  });
  const { samples, classes, issues, hash } = found;
  const classCounts = classes.map(() => ({ train: 0, val: 0, test: 0 }));
  const counts = { train: 0, val: 0, test: 0 };
  for (const { label, split } of samples) {
    classCounts[label][split]++;
    counts[split]++;
  }
  const dataset = {
    name,
    path: folder,
    hash,
    seed,
    classes,
    counts,
    classCounts,
    notes: found.notes,
    importedAt,
    layout: said,
  };
  const id = store.transaction(() => {
    const now = store.datasets.getByName(name);
    const target = now?.id ?? store.datasets.insert(dataset);
    if (now) store.datasets.update(now.id, dataset);
    store.samples.replace(target, samples);
    store.findings.replace(target, FindingKindName.options, issues);
    return target;
  });
  emit('datasets.changed', {});
  return id;
}
