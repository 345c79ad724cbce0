import type { Sample, SampleIssue, Split } from '../../src-shared/domain.ts';
import { nearCandidates } from './near-pairs.ts';
import { type Look, looksSame } from './perceptual-hash.ts';

/** An image as far as its duplicates go. `split` is null where none is chosen yet. */
export type Comparable = Pick<Sample, 'path' | 'hash' | 'perceptualHash' | 'label'> & { split: Split | null };

/** `image` is the same file as, or shows the same picture as, the earlier `original`. */
export interface Duplicate<T> {
  kind: 'exact-duplicate' | 'near-duplicate';
  image: T;
  original: T;
}

/**
 * Every image that repeats an earlier one of the list, once, with the image it repeats, one of another split before
 * one of its own: equal content, or hashes at most 6 bits apart and looks that correlate. `lookOf` gives an image's
 * look, or null where it cannot be had any more; `isKnown` tells pairs found before, which are not looked at again.
 */
export async function findDuplicates<T extends Comparable>(
  images: readonly T[],
  lookOf: (image: T) => Promise<Look | null>,
  isKnown: (image: T, original: T) => boolean,
): Promise<Duplicate<T>[]> {
  const duplicates: Duplicate<T>[] = [];
  const firsts = new Map<string, T>();
  for (const image of images) {
    const original = firsts.get(image.hash);
    if (original) duplicates.push({ kind: 'exact-duplicate', image, original });
    else firsts.set(image.hash, image);
  }
  const distinct = [...firsts.values()];
  const candidates = nearCandidates(distinct.map((image) => image.perceptualHash));
  for (const [index, others] of candidates.entries()) {
    const image = distinct[index];
    const originals = others.map((other) => distinct[other]);
    const foreign = originals.filter((original) => original.split !== image.split);
    const own = originals.filter((original) => original.split === image.split);
    for (const original of [...foreign, ...own]) {
      if (!isKnown(image, original) && !(await lookAlike(image, original))) continue;
      duplicates.push({ kind: 'near-duplicate', image, original });
      break;
    }
  }
  return duplicates;

  async function lookAlike(a: T, b: T): Promise<boolean> {
    const [lookA, lookB] = [await lookOf(a), await lookOf(b)];
    return lookA !== null && lookB !== null && looksSame(lookA, lookB);
  }
}

/** For every image with duplicates the key of its cluster: everything that repeats everything else, directly or not. */
export function clustersOf<T>(duplicates: readonly Duplicate<T>[]): Map<T, T> {
  const parents = new Map<T, T>();
  const rootOf = (image: T): T => {
    let root = image;
    for (let parent = parents.get(root); parent && parent !== root; parent = parents.get(root)) root = parent;
    parents.set(image, root);
    return root;
  };
  for (const { image, original } of duplicates) parents.set(rootOf(image), rootOf(original));
  return new Map([...parents.keys()].map((image) => [image, rootOf(image)]));
}

/** Duplicates as issues, in words; those that cross splits or classes say so. */
export function duplicateIssues(duplicates: readonly Duplicate<Comparable>[]): SampleIssue[] {
  return duplicates.map(({ kind, image: second, original: first }) => {
    // The image to look at is the one outside the training split.
    const [image, original] =
      first.split === 'test' && second.split !== 'test' ? [first, second] : [second, first];
    const what = kind === 'exact-duplicate' ? 'the same file as' : 'shows the same picture as';
    const splits =
      image.split === original.split ? '' : `, across splits: ${original.split} and ${image.split}`;
    const labels = image.label === original.label ? '' : ', under another class';
    return {
      kind,
      path: image.path,
      other: original.path,
      detail: `${what} ${original.path}${splits}${labels}`,
    };
  });
}

/** What the duplicates mean for the results, as remarks for a person. */
export function duplicateNotes(duplicates: readonly Duplicate<Comparable>[]): string[] {
  if (duplicates.length === 0) return [];
  const exact = duplicates.filter(({ kind }) => kind === 'exact-duplicate').length;
  const notes = [
    `${counted(exact, 'exact duplicate')} and ${counted(duplicates.length - exact, 'near-duplicate')}.`,
  ];
  const clusters = clustersOf(duplicates);
  const learned = new Set([...clusters].filter(([image]) => image.split !== 'test').map(([, root]) => root));
  const leaked = [...clusters].filter(([image, root]) => image.split === 'test' && learned.has(root)).length;
  if (leaked > 0) {
    notes.push(
      `${counted(leaked, 'test image')} also in the training or validation images, or nearly so: the test accuracy will look better than it is.`,
    );
  }
  const validated = duplicates.filter(
    ({ image, original }) =>
      [image, original].some(({ split }) => split === 'val') &&
      [image, original].some(({ split }) => split === 'train'),
  ).length;
  if (validated > 0) {
    notes.push(
      `${counted(validated, 'validation image')} also in the training images, or nearly so: runs leave ${validated === 1 ? 'it' : 'them'} out of validation.`,
    );
  }
  const conflicts = duplicates.filter(({ image, original }) => image.label !== original.label).length;
  if (conflicts > 0) {
    notes.push(
      `${counted(conflicts, 'duplicate')} of an image of another class: their labels contradict each other.`,
    );
  }
  return notes;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
