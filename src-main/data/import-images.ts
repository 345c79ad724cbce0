import { availableParallelism } from 'node:os';
import type { Sample, SampleIssue, Split } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { byPath } from '../../src-shared/text-order.ts';
import { datasetHash } from './dataset-hash.ts';
import { clustersOf, type Duplicate, duplicateIssues, duplicateNotes, findDuplicates } from './duplicates.ts';
import type { FileFacts, readFacts } from './file-facts.ts';
import { stampOf } from './file-stamp.ts';
import type { FoundImage } from './formats/format.ts';
import { ImageProblem } from './image.ts';
import { lightFindings, lightKinds, shapeFindings } from './image-findings.ts';
import type { Listing } from './list-images.ts';
import { type Locator, type Place, placeIn } from './locator.ts';
import type { Look } from './perceptual-hash.ts';
import { fileOf } from './read-located.ts';
import { drawTestSplit, settleSplits, testFraction } from './test-split.ts';
import { takeGroups, wholeGroups } from './whole-groups.ts';

type ImportedSample = Omit<Sample, 'id' | 'dataset'> &
  FileFacts & { locator: Locator | null; group: string | null };

/** What the last import of the same dataset found: files that still bear the same stamp are not read again. */
export interface PreviousImport {
  samples: readonly ImportedSample[];
  issues: readonly SampleIssue[];
}

/** What is read of an image, as it is kept meanwhile; near-duplicates are looked for in its pixels once more. */
export interface ReadFacts extends Pick<Awaited<ReturnType<typeof readFacts>>, 'facts' | 'reading'> {
  /** What was noticed of its light. */
  light: SampleIssue[];
}

export interface Resume {
  /** By `JSON.stringify` of the locator. */
  known: ReadonlyMap<string, ReadFacts>;
  keep(locator: string, read: ReadFacts): void;
}

export interface ImportOptions {
  /** What `listImages` found, wherever that ran. */
  found: readonly FoundImage[];
  listing: Listing;
  /** Reads one image: `readFacts`, wherever that runs. */
  readFacts: typeof readFacts;
  /** `stampsOf` files of the folder, wherever that runs; where left out, each is looked at when its turn comes. */
  stampsOf?: (files: readonly string[]) => Promise<readonly (string | null | undefined)[]>;
  /** What an import that ended early has read, and what this one reads, for one that comes after it. */
  resume?: Resume;
  /** Chooses the test images where the dataset has no test split. */
  seed: number;
  /** Of classes that the dataset does not order itself. */
  classOrder?: 'plain' | 'natural';
  previous?: PreviousImport;
  /** An import of the same images, maybe under another name: what is still as it was is not read again (default: `previous`). */
  seen?: PreviousImport;
  /** Files read so far, and files in all. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface ImportedImages extends Pick<Listing, 'format'> {
  /** In the dataset's own order, else sorted by name. */
  classes: string[];
  samples: ImportedSample[];
  issues: SampleIssue[];
  /** Images of an odd shape, light or sharpness, which are all used. */
  looksOdd: SampleIssue[];
  notes: string[];
  /** SHA-256 over the sorted (path, content hash, class, split) list. */
  hash: string;
}

/** Looks kept in memory, 1 KiB each, so that near-duplicates need no second reading. */
const maxLooks = 100_000;

/** Findings about what an image shows: they stay while its file does. */
export const keptKinds = ['unusual', ...lightKinds] as const;

type Candidate = FoundImage & FileFacts & { label: number };

/**
 * Reads a dataset of labelled images, which lies in `folder`. What cannot be used is named in `issues` with its reason and left out; duplicates
 * are named and kept. Where it has no test split, a fifth of each class chosen by seed and content is it,
 * duplicates kept on one side; validation images are each run's own choice (`splitSamples`).
 * @throws CotuneError where the layout is not understood or no image can be used, `cancelled` where the signal
 * aborts; a single bad file never fails the import.
 */
export async function importImages(folder: string, options: ImportOptions): Promise<ImportedImages> {
  const { found: images, listing } = options;
  const { format, unlabelled, issues, notes } = listing;
  const looks = new Map<string, Look>();
  const lights: SampleIssue[] = [];
  const facts = await readAll(folder, images, listing, { looks, lights }, options);
  const usable = images.filter((image) => facts.has(image.path));
  if (usable.length === 0) {
    const first = issues.find((issue) => issue.path === images[0].path);
    throw new CotuneError(
      'bad-input',
      `None of the ${images.length} images in ${folder} can be used; the first, ${images[0].path}: ${first?.detail}.`,
      'Check that the files are whole JPEG, PNG, WebP, GIF, BMP or TIFF images.',
    );
  }
  const classes = classesOf(usable, listing.classes, options.classOrder);
  const labels = new Map(classes.map((name, label) => [name, label]));
  const candidates = usable
    .map((image): Candidate => ({ ...image, ...facts.get(image.path)!, label: labels.get(image.className)! }))
    .sort(trainingFirst);

  const known = knownPairs(options.seen ?? options.previous, candidates);
  /** The look of an image read before, or null where it can no longer be read. */
  const lookAgain = async (image: FoundImage): Promise<Look | null> => {
    const known = looks.get(image.path);
    if (known) return known;
    return options.readFacts(placeIn(folder, image)).then(
      ({ look }) => look,
      () => null,
    );
  };
  const duplicates = await findDuplicates(candidates, lookAgain, (a, b) =>
    known.has(pairKey(a.path, b.path)),
  );
  if (options.signal?.aborted) throw cancelled();
  notes.push(...assignTestSplit(candidates, duplicates, options.seed, unlabelled));
  notes.push(...unusualNotes(issues));
  for (const issue of duplicateIssues(duplicates)) issues.push(issue);
  notes.push(...duplicateNotes(duplicates));
  if (!listing.classes) notes.push(...orderNote(classes, options.classOrder));
  describeClasses(images, classes, candidates, issues, notes);

  const samples = candidates.map(({ className: _, split, locator = null, group = null, ...sample }) => ({
    ...sample,
    split: split!,
    locator,
    group,
  }));
  samples.sort(byPath);
  issues.sort(byPath);
  notes.push(...changesSince(options.previous, samples));
  const looksOdd = [...shapeFindings(samples), ...lights];
  return { format, classes, samples, issues, looksOdd, notes, hash: datasetHash(samples, classes) };
}

/** The classes that images are of, in the dataset's own order; those that it does not order come after, by name. */
function classesOf(
  images: readonly FoundImage[],
  own: readonly string[] | null,
  order: 'plain' | 'natural' = 'plain',
): string[] {
  const named = new Set(images.map((image) => image.className));
  const ordered = (own ?? []).filter((name) => named.delete(name));
  return [...ordered, ...[...named].sort(order === 'natural' ? naturally : undefined)];
}

/** Numbers in names by their value, in no language: the same everywhere. Names that are equal so, as they are. */
const natural = new Intl.Collator('und', { numeric: true });
const naturally = (a: string, b: string): number => natural.compare(a, b) || (a < b ? -1 : 1);

/** Says how classes are sorted, where it makes a difference. */
function orderNote(classes: readonly string[], order: 'plain' | 'natural' = 'plain'): string[] {
  const other = classes.toSorted(order === 'natural' ? undefined : naturally);
  if (other.every((name, i) => name === classes[i])) return [];
  return [
    order === 'natural'
      ? 'The classes are in natural order, as timm has them: 2 before 10.'
      : 'The classes are in plain order, as torchvision has them: 10 before 2. An import in natural order (--class-order natural) is the other way.',
  ];
}

const splitOrder: Record<Split, number> = { train: 0, val: 1, test: 2 };
/** Duplicates name the later image, which so is the one outside the training split. */
const trainingFirst = (a: Candidate, b: Candidate): number =>
  splitOrder[a.split ?? 'train'] - splitOrder[b.split ?? 'train'] || byPath(a, b);

/** What a promise gives, or `cancelled` as soon as the signal aborts. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(cancelled());
    signal.addEventListener('abort', () => reject(cancelled()), { once: true });
  });
  return Promise.race([promise, aborted]);
}

const cancelled = () => new CotuneError('cancelled', 'The import was cancelled; nothing was changed.');

/** Says how images were read that can be read in several ways. */
function unusualNotes(issues: readonly SampleIssue[]): string[] {
  const unusual = issues.filter(({ kind }) => kind === 'unusual');
  if (unusual.length === 0) return [];
  const [{ path, detail }] = unusual.sort(byPath);
  const many = unusual.length === 1 ? '1 image was' : `${unusual.length} images were`;
  return [
    `${many} read in an unusual way; look whether the pictures are right. The first, ${path}: ${detail}.`,
  ];
}

/** Reads what is new or changed, a few files at a time; what cannot be used goes to `issues`, what is odd to see to `lights`. */
async function readAll(
  folder: string,
  images: readonly FoundImage[],
  { issues, stamps }: Listing,
  { looks, lights }: { looks: Map<string, Look>; lights: SampleIssue[] },
  { readFacts, stampsOf, previous, seen = previous, resume, onProgress, signal }: ImportOptions,
): Promise<Map<string, FileFacts>> {
  const known = new Map(seen?.samples.map((sample) => [sample.path, sample]));
  const noticed = Map.groupBy(
    seen?.issues.filter(({ kind }) => keptKinds.some((known) => known === kind)) ?? [],
    ({ path }) => path,
  );
  const facts = new Map<string, FileFacts>();
  async function readAnew(
    place: Place,
    path: string,
    key: string,
    archive: string | null | undefined,
  ): Promise<ReadFacts> {
    const { facts: found, look, reading } = await readFacts(place);
    const own = archive === undefined ? found : { ...found, stamp: archive };
    const read = { facts: own, reading, light: lightFindings({ path, ...own }, look) };
    if (own.stamp !== null) resume?.keep(key, read);
    if (looks.size < maxLooks) looks.set(path, look);
    return read;
  }
  const mayBeKnown = (image: FoundImage, locator: Locator): boolean =>
    Boolean(known.get(image.path)?.stamp) || resume?.known.has(JSON.stringify(locator)) === true;
  const plain = images.flatMap((image) => {
    const { locator } = placeIn(folder, image);
    return !stamps.has(locator.file) && mayBeKnown(image, locator) ? [locator.file] : [];
  });
  const looked = (await stampsOf?.(plain)) ?? [];
  const stampNow = new Map(plain.map((file, at) => [file, looked[at]]));
  let next = 0;
  let done = 0;
  const reader = async (): Promise<void> => {
    while (next < images.length) {
      if (signal?.aborted) throw cancelled();
      const image = images[next++];
      const { path } = image;
      const place = placeIn(folder, image);
      const before = known.get(path);
      try {
        // Of an archive, what it was when it was listed; nothing in it is newer.
        const archive = stamps.get(place.locator.file);
        const key = JSON.stringify(place.locator);
        const kept = resume?.known.get(key);
        const now = !mayBeKnown(image, place.locator)
          ? null
          : archive === undefined
            ? (stampNow.get(place.locator.file) ?? (await stampOf(fileOf(place))))
            : archive;
        if (now !== null && before?.stamp === now && isSame(before.locator, image.locator ?? null)) {
          const { width, height, bytes, hash, perceptualHash, stamp } = before;
          facts.set(path, { width, height, bytes, hash, perceptualHash, stamp });
          for (const issue of noticed.get(path) ?? [])
            (issue.kind === 'unusual' ? issues : lights).push(issue);
        } else {
          const isKept = kept !== undefined && now !== null && kept.facts.stamp === now;
          const read = isKept ? kept : await readAnew(place, path, key, archive);
          facts.set(path, read.facts);
          if (read.reading) issues.push({ kind: 'unusual', path, detail: read.reading });
          for (const issue of read.light) lights.push(issue);
        }
      } catch (error) {
        // What is wrong with the program, or the end of it, is no finding about a file.
        if (error instanceof CotuneError) throw error;
        issues.push({ ...problemOf(error, path), path });
      }
      onProgress?.(++done, images.length);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, reader));
  return facts;
}

const isSame = (a: Locator | null, b: Locator | null): boolean => JSON.stringify(a) === JSON.stringify(b);

function problemOf(error: unknown, path: string): Pick<SampleIssue, 'kind' | 'detail'> {
  if (error instanceof ImageProblem) return { kind: error.kind, detail: error.message };
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: path.includes('\ufffd')
      ? 'its name is not valid UTF-8; rename it'
      : 'it leads nowhere: a broken link, or the file vanished during the import',
    ELOOP: 'it is a link that leads to itself',
    EACCES: 'it must not be read: permission denied',
    EPERM: 'it must not be read: permission denied',
  };
  return { kind: 'broken', detail: reasons[code ?? ''] ?? `it cannot be read (${code ?? message})` };
}

const pairKey = (a: string, b: string): string => (a < b ? `${a}\0${b}` : `${b}\0${a}`);

/** Near-duplicates of the last import between files that are still what they were. */
function knownPairs(previous: PreviousImport | undefined, candidates: readonly Candidate[]): Set<string> {
  if (!previous) return new Set();
  const before = new Map(previous.samples.map(({ path, hash }) => [path, hash]));
  const same = new Set(
    candidates.filter(({ path, hash }) => before.get(path) === hash).map(({ path }) => path),
  );
  const pairs = previous.issues.filter(
    ({ kind, path, other }) => kind === 'near-duplicate' && other && same.has(path) && same.has(other),
  );
  return new Set(pairs.map(({ path, other }) => pairKey(path, other!)));
}

/**
 * Given splits stay, but a validation split alone is the test split. Without either, whole groups of duplicates are drawn
 * for it, class by class. Returns what is to be said about it, images without labels included.
 */
function assignTestSplit(
  candidates: readonly Candidate[],
  duplicates: readonly Duplicate<Candidate>[],
  seed: number,
  unlabelled: Listing['unlabelled'],
): string[] {
  const notes = unlabelled.map(
    ({ path, images }) =>
      `${path} holds ${images === 1 ? '1 image' : `${images} images`} without a label: left out of training and scores; cotune predict classifies them.`,
  );
  const given = settleSplits(candidates);
  if (given === 'test') return [...notes, ...groupsOnBothSides(candidates)];
  if (given === 'val') {
    notes.push(
      `There is a validation folder but no ${unlabelled.length > 0 ? 'labelled ' : ''}test folder: its images serve as the test split, and validation images are set aside from the training images.`,
    );
    return notes;
  }
  const clusters = clustersOf(duplicates);
  const keyOf = (image: Candidate) => (clusters.get(image) ?? image).hash;
  const grouped = candidates.some(({ group }) => group !== undefined);
  if (grouped) {
    const wholes = wholeGroups(candidates, (image) =>
      image.group === undefined ? [keyOf(image)] : [keyOf(image), `group ${image.group}`],
    );
    for (const image of takeGroups(wholes, testFraction, `test ${seed}`)) image.split = 'test';
  } else drawTestSplit(candidates, keyOf, seed);
  const drawn = `${grouped ? 'whole groups, about a fifth of each class' : 'a fifth of each class'}, chosen by the seed, ${grouped ? 'are' : 'is'} the test split.`;
  if (notes.length === 0) return [`There is no test folder: ${drawn}`];
  return [
    ...notes.slice(0, -1),
    `${notes.at(-1)!.slice(0, -1)}. No other folder is the test split: ${drawn}`,
  ];
}

/** Says where the splits that a dataset brings divide what belongs together. */
function groupsOnBothSides(candidates: readonly Candidate[]): string[] {
  const trained = new Set(
    candidates.flatMap(({ split, group }) => (split === 'test' || group === undefined ? [] : [group])),
  );
  const both = new Set(
    candidates.flatMap(({ split, group }) =>
      split === 'test' && group !== undefined && trained.has(group) ? [group] : [],
    ),
  );
  if (both.size === 0) return [];
  return [
    `${both.size === 1 ? '1 group of images that belong together is' : `${both.size} groups of images that belong together are`} in the test split and outside it, by the dataset’s own splits: the test accuracy will look better than it is.`,
  ];
}

/** What class-findings.ts does not say of them at every change. */
function describeClasses(
  found: readonly FoundImage[],
  classes: readonly string[],
  samples: readonly Candidate[],
  issues: SampleIssue[],
  notes: string[],
): void {
  for (const [label, members] of Map.groupBy(samples, (sample) => sample.label)) {
    const name = classes[label];
    if (members.length === 1) {
      const detail = `the only usable image of the class ${name}; it is in the ${members[0].split} split`;
      issues.push({ kind: 'single-in-class', path: members[0].path, detail });
    }
  }
  const named = [...new Set(found.map(({ className }) => className))];
  const lost = named.filter((name) => !classes.includes(name));
  for (const name of lost) notes.push(`The class ${name} has no usable image and was left out.`);
  if (classes.length === 1) notes.push(`There is only one class, ${classes[0]}: nothing to tell apart.`);
}

export function changesSince(
  previous: PreviousImport | undefined,
  samples: readonly Pick<ImportedSample, 'path' | 'hash'>[],
): string[] {
  if (!previous) return [];
  const before = new Map(previous.samples.map(({ path, hash }) => [path, hash]));
  const added = samples.filter(({ path }) => !before.has(path)).length;
  const changed = samples.filter(({ path, hash }) => before.has(path) && before.get(path) !== hash).length;
  const removed = previous.samples.length - (samples.length - added);
  if (added + changed + removed === 0) return ['Since the last import nothing has changed.'];
  return [`Since the last import: ${added} added, ${changed} changed, ${removed} removed.`];
}
