import { userInfo } from 'node:os';
import type { EditRequest } from '../../src-shared/contract.ts';
import type { Dataset } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { byPath } from '../../src-shared/text-order.ts';
import { applyEdits } from '../data/apply-edits.ts';
import { classFindingKinds, classFindings } from '../data/class-findings.ts';
import { countClasses } from '../data/count-classes.ts';
import { datasetHash } from '../data/dataset-hash.ts';
import type { NewEdit } from '../store/edits.ts';
import type { EditedSample, ImportedSample } from '../store/samples.ts';
import type { Store } from '../store/store.ts';

/**
 * Makes a dataset what its import and the edits that count come to: its classes, the class and split of every image, which are
 * left out, its hash, the state of its findings. Call inside a transaction, after a change of either.
 */
export function bringUpToDate(store: Store, dataset: number): void {
  const { task } = store.datasets.get(dataset)!;
  // Types of entities are no classes of samples: they stay, whatever is left of them.
  const isTagged = taskNamed(task).classesOf === 'entities';
  const imported = store.samples.edited(dataset, isTagged).sort(byPath);
  const edits = store.edits.active(dataset);
  const importedClasses = store.datasets.importedClasses(dataset);
  const edited = applyEdits(importedClasses, imported, edits);
  const classes = isTagged ? importedClasses : edited.classes;
  const kept: Pick<EditedSample, 'path' | 'hash' | 'label' | 'split' | 'text'>[] = [];
  for (const [place, { id, label, split, excluded }] of edited.images.entries()) {
    const { now, path, hash, text } = imported[place];
    if (now.label !== label || now.split !== split || now.excluded !== excluded)
      store.samples.setEdited(id, { label, split, excluded });
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
  const imageAt = (path: string) => {
    const image = store.samples.at(dataset.id, path);
    if (!image)
      throw new CotuneError(
        'not-found',
        `The dataset "${dataset.name}" has no image ${path}.`,
        'Paths are relative to the dataset’s folder, with forward slashes.',
      );
    return image;
  };
  const classNamed = (name: string): string => {
    if (dataset.classes.includes(name)) return name;
    const near = nearest(name, dataset.classes);
    throw new CotuneError(
      'not-found',
      `The dataset "${dataset.name}" has no class "${name}".`,
      near === undefined ? '' : `Did you mean "${near}"?`,
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
    if (taskNamed(dataset.task).classesOf === 'entities' && ['merge', 'rename', 'relabel'].includes(action))
      throw new CotuneError(
        'bad-input',
        `The sentences of "${dataset.name}" have tags, not classes.`,
        'Change the tags in the file, and import it again; sentences can be left out and moved here.',
      );
    if (action === 'merge' || action === 'rename') {
      const target = classNamed(request.name);
      const after = action === 'merge' ? classNamed(request.into) : request.to;
      if (after === target) return [];
      if (action === 'rename' && dataset.classes.includes(after))
        throw new CotuneError(
          'bad-input',
          `The dataset "${dataset.name}" has a class "${after}" already.`,
          `Merge the two: cotune dataset merge ${dataset.name} --from ${target} --into ${after}`,
        );
      return [{ ...none, action, target, before: target, after }];
    }
    const image = imageAt(request.path);
    const finding = findingOf(request.finding)?.kind ?? null;
    const edit = { ...none, action, target: image.path, hash: image.hash, finding };
    const className = dataset.classes[image.label] ?? null;
    if (action === 'exclude') return image.excluded ? [] : [{ ...edit, before: className }];
    if (action === 'move')
      return image.split === request.to ? [] : [{ ...edit, before: image.split, after: request.to }];
    const after = request.newClass ? request.to : classNamed(request.to);
    return after === className ? [] : [{ ...edit, before: className, after }];
  });
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
