import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { checkOutput } from '../formats/output-file.ts';
import { writeWhole } from '../formats/write-whole.ts';
import { accuracyWithout } from './accuracy-without.ts';
import type { Context, Handlers } from './context.ts';
import { bringUpToDate, resolveEdits } from './edit-dataset.ts';
import { editsFromTable, editsScript, editsTable } from './edit-files.ts';
import { existingFile } from './existing-file.ts';
import { findDataset } from './lookup.ts';

type Names =
  | 'datasets.edits'
  | 'datasets.edit'
  | 'datasets.undo'
  | 'datasets.check'
  | 'datasets.exportEdits'
  | 'datasets.importEdits'
  | 'datasets.accuracyWithout';

/** A file of edits is read whole. */
const mostBytes = 2 ** 26;

/** What people change of datasets: rows beside them, never their files. */
export function editCalls(context: Context): Handlers<Names> {
  const { store, emit } = context;

  /** Writes edits down and lets the dataset follow, in one step. */
  function change<T>(dataset: number, work: () => T): T {
    const done = store.transaction(() => {
      const result = work();
      bringUpToDate(store, dataset);
      return result;
    });
    emit('datasets.changed', {});
    return done;
  }

  return {
    // Loaded here, not above: it brings tf.js along.
    'datasets.check': async (input) => (await import('./check-dataset.ts')).checkDataset(context, input),
    'datasets.edits': ({ dataset, undone, offset, limit }) =>
      store.edits.page(findDataset(store, dataset).id, undone, offset, limit),
    'datasets.edit': ({ dataset: name, edits: requests }) => {
      const dataset = findDataset(store, name);
      const edits = resolveEdits(store, dataset, requests);
      const edit = edits.length > 0 ? change(dataset.id, () => store.edits.insert(dataset.id, edits)) : null;
      return { made: edits.length, edit, dataset: findDataset(store, name) };
    },
    'datasets.undo': ({ dataset: name, edit }) => {
      const dataset = findDataset(store, name);
      const undone = change(dataset.id, () => store.edits.undo(dataset.id, edit));
      if (undone.length === 0)
        throw new CotuneError(
          'not-found',
          edit === undefined
            ? `The dataset "${dataset.name}" has no edit to undo.`
            : `The dataset "${dataset.name}" has no edit ${edit} that counts.`,
          'See `cotune dataset edits` for those there are.',
        );
      return { edits: undone, dataset: findDataset(store, name) };
    },
    'datasets.exportEdits': ({ dataset: name, path, format, overwrite }) => {
      const dataset = findDataset(store, name);
      const file = resolve(path);
      if (format === 'sh' && (dataset.format?.name ?? 'folders') !== 'folders')
        throw new CotuneError(
          'bad-input',
          `The dataset "${dataset.name}" is no folder of class folders: moving its files would not change what is said of them.`,
          'Export the edits as a table (.csv).',
        );
      checkOutput(file, overwrite);
      const edits = store.edits.active(dataset.id);
      const text =
        format === 'csv' ? editsTable(edits) : editsScript(dataset, store.samples.imported(dataset.id));
      writeWhole(file, [Buffer.from(text)]);
      return { path: file, bytes: statSync(file).size, edits: edits.length };
    },
    'datasets.importEdits': ({ dataset: name, path }) => {
      const dataset = findDataset(store, name);
      const file = existingFile(path, 'a table of edits, as exported');
      if (statSync(file).size > mostBytes)
        throw new CotuneError(
          'bad-input',
          `${file} is too large for a table of edits.`,
          'Name another file.',
        );
      const edits = editsFromTable(readFileSync(file, 'utf8'), file);
      const known = new Set(store.edits.active(dataset.id).map(sameEdit));
      const added = edits.filter((edit) => !known.has(sameEdit(edit)));
      const batch = change(dataset.id, () => store.edits.insert(dataset.id, added));
      const problems = store.edits
        .active(dataset.id)
        .filter((edit) => edit.batch === batch && edit.problem !== null);
      return { made: added.length, problems, dataset: findDataset(store, name) };
    },
    'datasets.accuracyWithout': ({ dataset, kind, samples }) =>
      accuracyWithout(store, findDataset(store, dataset), { kind, samples }),
  };
}

/** What makes two edits the same one, whoever made them. */
const sameEdit = ({
  action,
  target,
  hash,
  after,
  finding,
  other,
}: ReturnType<typeof editsFromTable>[number]) =>
  JSON.stringify([action, target, hash, after, finding, other]);
