import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportChoice, Task } from '../../src-shared/contract.ts';
import type { Dataset, SampleIssue } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { findingKinds } from '../../src-shared/finding-kinds.ts';
import { countClasses } from '../data/count-classes.ts';
import type { FoundImage } from '../data/formats/format.ts';
import { importImages, keptKinds, untilAborted } from '../data/import-images.ts';
import { importTexts } from '../data/import-texts.ts';
import type { DatasetPlace } from '../data/list-images.ts';
import { resolvePlace } from '../data/unpacked.ts';
import type { Store } from '../store/store.ts';
import type { Context, Handlers } from './context.ts';
import { datasetPlace } from './dataset-place.ts';
import { bringUpToDate, followRenamed } from './edit-dataset.ts';
import { resumeImport } from './resume-import.ts';
import type { TaskWork } from './tasks.ts';
import { issuesBefore, unpackDataset, unpackedPlace } from './unpacked-datasets.ts';

type ImportInput = Parameters<Handlers['datasets.import']>[0];

interface ImportRequest {
  dataset: DatasetPlace;
  /** Where the archives are that it is to be unpacked from; null where it is read where it lies. */
  archives: DatasetPlace | null;
  name: string;
  seed: number;
  choice: ImportChoice;
}

/**
 * Begins to import a folder or file; the task's result is the dataset's id. Errors: `not-found` where nothing is there, `bad-input`
 * or `conflict` for a name that cannot be used.
 */
export function startImport(context: Context, { path, name, seed, choice, unpack }: ImportInput): Task {
  const named = datasetPlace(path);
  const known = context.store.datasets.getByName(name);
  const unpacked = unpackedPlace(context, named);
  const unpacks = unpack || (known !== undefined && isAt(known, unpacked));
  const dataset = unpacks ? unpacked : named;
  checkName(known, name, [dataset, named]);
  const request = { dataset, archives: unpacks ? named : null, name, seed, choice };
  return context.tasks.start('import', `Import ${name}`, (task) => importDataset(context, request, task));
}

/** A name stays with what it was imported from, unless that is gone: then it has moved. */
function checkName(known: Dataset | undefined, name: string, places: readonly DatasetPlace[]): void {
  if (/^\d+$/.test(name)) {
    throw new CotuneError(
      'bad-input',
      `The name "${name}" is a number.`,
      'Numbers stand for ids; add a letter.',
    );
  }
  if (!known || places.some((place) => isAt(known, place))) return;
  const before = known.file === null ? known.path : join(known.path, known.file);
  if (existsSync(before)) {
    throw new CotuneError(
      'conflict',
      `The name "${name}" belongs to the dataset imported from ${before}.`,
      'Choose another name, or delete that dataset first.',
    );
  }
}

const isAt = (known: Dataset, { folder, file }: DatasetPlace): boolean =>
  known.path === folder && known.file === file;

/** What a person once said about a dataset holds until they say something else; how it was read, too. */
function choiceFor(
  { store }: Context,
  known: Dataset | undefined,
  { dataset, archives, choice }: ImportRequest,
): { said: ImportChoice; choice: ImportChoice } {
  if (!known || !(isAt(known, dataset) || (archives && isAt(known, archives))))
    return { said: choice, choice };
  const format = known.format?.name ?? 'folders';
  const changes = choice.format !== undefined && choice.format !== format;
  // What was imported before links out of a folder were left out had them.
  const links = known.format === null ? { links: 'all' as const } : {};
  const said = changes ? choice : { ...links, ...store.datasets.choice(known.id), ...choice };
  return { said, choice: { format, ...said } };
}

/** What an import looks for; what else was found stays with the images that are still there. */
const importedKinds = findingKinds.filter(({ found }) => found === 'import').map(({ name }) => name);

/** So many edits that change nothing any more are told by name. */
const namedEdits = 5;

/** What is to be said of edits that no longer apply. */
function lostEdits({ edits }: Store, dataset: number): string[] {
  const lost = edits.active(dataset).filter(({ problem }) => problem !== null);
  if (lost.length === 0) return [];
  const named = lost
    .slice(0, namedEdits)
    .map(({ action, target, problem }) => `${action} ${target} (${problem})`)
    .join('; ');
  const are = lost.length === 1 ? '1 edit no longer applies' : `${lost.length} edits no longer apply`;
  const more = lost.length - namedEdits;
  return [`${are}: ${named}${more > 0 ? `; and ${more} more` : ''}. They stay on the list.`];
}

/** Findings of the last import that need no second look at files which are still what they were. */
const priorIssues = ({ findings }: Store, dataset: number): SampleIssue[] => [
  ...findings.duplicates(dataset),
  ...keptKinds.flatMap((kind) => findings.ofKind(dataset, kind)),
];

async function importDataset(context: Context, request: ImportRequest, task: TaskWork): Promise<number> {
  const { store, emit, reader, home } = context;
  const { dataset: place, name, seed } = request;
  const importedAt = new Date().toISOString();
  const known = store.datasets.getByName(name);
  const before = known ? store.samples.imported(known.id) : [];
  const { said, choice } = choiceFor(context, known, request);
  if (request.archives) await unpackDataset(context, request.archives, choice, task);
  const resume = resumeImport(store, place.folder);
  const previous = known && { samples: before, issues: priorIssues(store, known.id) };
  const other = known ? undefined : store.datasets.list().find((one) => isAt(one, place));
  const seen = other
    ? { samples: store.samples.imported(other.id), issues: priorIssues(store, other.id) }
    : previous;
  // By path: a listing that had to begin again tells the same once more.
  const listed = new Map<string, FoundImage>();
  const hear = (some: FoundImage[]) => {
    for (const one of some) listed.set(one.path, one);
  };
  const listing = await untilAborted(
    reader.read('images', { dataset: place, choice, unpackedFolder: home.unpacked }, place.folder, hear),
    task.signal,
  );
  listing.issues.push(...issuesBefore(context, place));
  const ofImages = () =>
    importImages(place.folder, {
      resume,
      found: [...listed.values()],
      listing,
      readFacts: (at) => reader.read('image-facts', { place: resolvePlace(at, home.unpacked) }, place.folder),
      stampsOf: (files) => reader.read('file-stamps', { folder: place.folder, files }, place.folder),
      seed,
      classOrder: choice.classOrder,
      previous,
      seen,
      onProgress: task.progress,
      signal: task.signal,
    }).finally(resume.flush);
  const found =
    listing.holds === 'texts'
      ? importTexts([...listed.values()], listing, seed, previous)
      : { task: 'image-classification' as const, ...(await ofImages()) };
  const { samples, classes, issues, looksOdd, hash, format } = found;
  const dataset = {
    name,
    task: found.task,
    path: place.folder,
    file: place.file,
    format,
    hash,
    seed,
    classes,
    ...countClasses(samples, classes),
    notes: found.notes,
    importedAt,
    choice: Object.keys(said).length > 0 ? said : null,
  };
  const id = store.transaction(() => {
    const now = store.datasets.getByName(name);
    const target = now?.id ?? store.datasets.insert(dataset);
    if (now) store.datasets.update(now.id, dataset);
    followRenamed(store, target, before, samples);
    store.samples.replace(target, samples);
    store.findings.replace(target, importedKinds, [...issues, ...looksOdd]);
    bringUpToDate(store, target);
    resume.end();
    const lost = lostEdits(store, target);
    if (lost.length > 0) store.datasets.setNotes(target, [...found.notes, ...lost]);
    return target;
  });
  emit('datasets.changed', {});
  return id;
}
