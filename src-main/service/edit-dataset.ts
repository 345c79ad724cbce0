import { userInfo } from 'node:os';
import type { EditRequest } from '../../src-shared/contract.ts';
import type { Dataset } from '../../src-shared/domain.ts';
import { entitiesOf } from '../../src-shared/entities.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import { readTags, tagLine } from '../../src-shared/tag-line.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { byPath } from '../../src-shared/text-order.ts';
import { applyEdits } from '../data/apply-edits.ts';
import { classFindingKinds, classFindings } from '../data/class-findings.ts';
import { countClasses } from '../data/count-classes.ts';
import { datasetHash, textHash } from '../data/dataset-hash.ts';
import type { NewEdit } from '../store/edits.ts';
import type { EditedSample, ImportedSample } from '../store/samples.ts';
import type { Store } from '../store/store.ts';

/**
 * Makes a dataset what its import and the edits that count come to: its classes, the class and split of every image, which are
 * left out, its hash, the state of its findings. Call inside a transaction, after a change of either.
 */
export function bringUpToDate(store: Store, dataset: number): void {
  const { task } = store.datasets.get(dataset)!;
  const description = taskNamed(task);
  const isTagged = description.classesOf === 'entities';
  const imported = store.samples.edited(dataset, isTagged).sort(byPath);
  const edits = store.edits.active(dataset);
  const importedClasses = store.datasets.importedClasses(dataset);
  const edited = applyEdits(importedClasses, imported, edits, description);
  const { classes } = edited;
  const kept: Pick<EditedSample, 'path' | 'hash' | 'label' | 'split' | 'text'>[] = [];
  for (const [place, { id, label, split, excluded, tags }] of edited.images.entries()) {
    const { now, path, ...before } = imported[place];
    const retagged = before.text && tags !== before.text.tags ? { ...before.text, tags: [...tags!] } : null;
    const text = retagged ?? before.text;
    const hash = retagged ? textHash(retagged) : before.hash;
    if (now.label !== label || now.split !== split || now.excluded !== excluded)
      store.samples.setEdited(id, { label, split, excluded });
    if (now.hash !== hash) store.samples.setText(id, retagged && { text: retagged, hash });
    if (!excluded) kept.push({ path, hash, label, split, text });
  }
  const { counts, classCounts } = countClasses(kept, classes);
  store.datasets.setEdited(dataset, {
    hash: datasetHash(kept, classes),
    editsHash: edited.hash,
    classes,
    counts,
    classCounts,
  });
  for (const { id, problem } of edits) {
    const found = edited.problems.get(id) ?? null;
    if (found !== problem) store.edits.setProblem(id, found);
  }
  const found = classFindings({ classes, classCounts, counts, task });
  store.findings.replaceIfOthers(dataset, classFindingKinds, found);
  store.findings.decide(dataset);
}

/**
 * Lets edits of images follow files that were renamed: an image that is gone and one of the same content that is new are the same.
 * Call inside a transaction, with the images before an import and after it.
 */
export function followRenamed(
  store: Store,
  dataset: number,
  before: readonly Pick<ImportedSample, 'path' | 'hash'>[],
  after: readonly Pick<ImportedSample, 'path' | 'hash'>[],
): void {
  const keyOf = ({ path, hash }: Pick<ImportedSample, 'path' | 'hash'>) => `${hash} ${path}`;
  const known = new Set(before.map(keyOf));
  const present = new Set(after.map(keyOf));
  const added = Map.groupBy(
    after.filter((image) => !known.has(keyOf(image))),
    ({ hash }) => hash,
  );
  for (const image of before) {
    if (present.has(keyOf(image))) continue;
    const renamed = added.get(image.hash)?.shift();
    if (renamed) store.edits.retarget(dataset, image.path, renamed.path);
  }
}

/**
 * Edits as they are asked for, made into rows; those that would change nothing are left out. Errors: `not-found` for an image, a
 * class or a finding that is not there; `bad-input` where a class cannot be named so.
 */
export function resolveEdits(store: Store, dataset: Dataset, requests: readonly EditRequest[]): NewEdit[] {
  const who = userName();
  const { sample, takes, category } = taskNamed(dataset.task);
  const imageAt = (path: string) => {
    const image = store.samples.at(dataset.id, path);
    if (!image)
      throw new CotuneError(
        'not-found',
        `The dataset "${dataset.name}" has no ${sample} ${path}.`,
        takes === 'images'
          ? 'Paths are relative to the dataset’s folder, with forward slashes.'
          : 'It is called by its file and line, as in the lists of findings and of the dataset.',
      );
    return image;
  };
  const classNamed = (name: string): string => {
    if (dataset.classes.includes(name)) return name;
    const near = nearest(name, dataset.classes);
    throw new CotuneError(
      'not-found',
      `The dataset "${dataset.name}" has no ${category} "${name}".`,
      near === null ? '' : `Did you mean "${near}"?`,
    );
  };
  const findingOf = (id: number | undefined) => {
    if (id === undefined) return null;
    const finding = store.findings.get(dataset.id, id);
    if (!finding)
      throw new CotuneError(
        'not-found',
        `The dataset "${dataset.name}" has no finding ${id}.`,
        'It may have been imported again meanwhile: list its findings anew.',
      );
    return finding;
  };
  const none = { who, hash: null, before: null, after: null, finding: null, other: null };

  return requests.flatMap((request): NewEdit[] => {
    const { action } = request;
    if (action === 'keep') {
      const { kind, path, other, sample, state } = findingOf(request.finding)!;
      if (state === 'kept') return [];
      return [{ ...none, action, target: path, hash: sample?.hash ?? null, finding: kind, other }];
    }
    if (action === 'merge' || action === 'rename') {
      const target = classNamed(request.name);
      const after = action === 'merge' ? classNamed(request.into) : request.to;
      if (after === target) return [];
      if (action === 'rename' && dataset.classes.includes(after))
        throw new CotuneError(
          'bad-input',
          `The dataset "${dataset.name}" has a ${category} "${after}" already.`,
          `Merge the two: cotune dataset merge ${dataset.name} --from ${target} --into ${after}`,
        );
      return [{ ...none, action, target, before: target, after }];
    }
    const image = imageAt(request.path);
    const finding = findingOf(request.finding)?.kind ?? null;
    const edit = { ...none, action, target: image.path, hash: image.importedHash, finding };
    const className = dataset.classes[image.label] ?? null;
    if (action === 'exclude') return image.excluded ? [] : [{ ...edit, before: className }];
    if (action === 'move')
      return image.split === request.to ? [] : [{ ...edit, before: image.split, after: request.to }];
    const tags = image.text?.tags;
    const nameOf = request.newClass ? (name: string) => name : classNamed;
    if (!tags) {
      const after = nameOf(oneClass(request.to, dataset));
      return after === className ? [] : [{ ...edit, before: className, after }];
    }
    const wanted = tagsFor(request.to, image.path, tags.length, dataset);
    // Refuses a type that is not there and not said to be new.
    for (const { type } of entitiesOf(wanted)) nameOf(type);
    const [before, after] = [tags, wanted].map(tagLine);
    return after === before ? [] : [{ ...edit, before, after }];
  });
}

/** The class that is asked for. Errors: `bad-input` where it is tags. */
function oneClass(to: string | readonly string[], { name }: Dataset): string {
  if (typeof to === 'string') return to;
  throw new CotuneError('bad-input', `The samples of "${name}" have a class, not tags.`, 'Name the class.');
}

/** The tags that are asked for, in IOB2. Errors: `bad-input` where it is a class, or they are not those of so many words. */
function tagsFor(to: string | readonly string[], path: string, words: number, { name }: Dataset): string[] {
  if (typeof to === 'string')
    throw new CotuneError(
      'bad-input',
      `The sentences of "${name}" have tags, not a class.`,
      'Give a tag for each word, as B-PER I-PER O.',
    );
  const read = readTags(to, words);
  if ('tags' in read) return read.tags;
  throw new CotuneError(
    'bad-input',
    `${path}: ${read.problem}.`,
    'Give a tag for each word, as B-PER I-PER O.',
  );
}

/** Who makes an edit, as the machine knows them. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A process without an entry among the machine's users, as in a container.
    return 'unknown';
  }
}
