import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Sample, SampleIssue, Split } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { ImageProblem, openImage, readImageFile } from './decode.ts';
import { type FoundImage, findImages } from './find-images.ts';
import { differenceHash, nearPairs } from './perceptual-hash.ts';
import { keyOf, permutation, randomOf } from './random.ts';

type NewSample = Omit<Sample, 'id' | 'dataset'>;

/** What an earlier import of the same folder found: files untouched since then are not read again. */
export interface PreviousImport {
  samples: readonly NewSample[];
  importedAt: string;
}

export interface ImportOptions {
  /** Chooses the test images where the folder has no test split. */
  seed: number;
  previous?: PreviousImport;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface ImportedFolder {
  classes: string[];
  samples: NewSample[];
  issues: SampleIssue[];
  notes: string[];
  /** SHA-256 over the sorted (path, content hash, class, split) list. */
  hash: string;
}

/** Share of each class that becomes the test split where the folder gives none. */
const testFraction = 0.2;

/**
 * Reads a folder of labelled images. What cannot be used is named in `issues` with its reason and left out; duplicates
 * are named and kept. Classes are sorted by name.
 * @throws CotuneError where no image can be used or the signal aborts; a single bad file never fails the import.
 */
export async function importFolder(root: string, options: ImportOptions): Promise<ImportedFolder> {
  const { images, issues, notes } = await findImages(root);
  const facts = await readAll(root, images, issues, options);
  const usable = images.filter((image) => facts.has(image.path));
  if (usable.length === 0)
    throw new CotuneError(
      'bad-input',
      `None of the ${images.length} images in ${root} can be used; the first: ${issues[0].path}, ${issues[0].detail}.`,
      'Check that the files are whole JPEG, PNG, WebP, GIF, BMP or TIFF images.',
    );

  const classes = [...new Set(usable.map((image) => image.className))].sort();
  const splits = assignSplits(usable, options.seed);
  const samples = usable.map((image): NewSample => {
    const label = classes.indexOf(image.className);
    return { path: image.path, label, split: splits.get(image.path)!, ...facts.get(image.path)! };
  });
  issues.push(...duplicateIssues(samples), ...classIssues(classes, samples));
  notes.push(...changesSince(options.previous, samples));
  return { classes, samples, issues, notes, hash: datasetHash(samples, classes) };
}

type FileFacts = Pick<Sample, 'width' | 'height' | 'bytes' | 'hash' | 'perceptualHash'>;

async function readAll(
  root: string,
  images: FoundImage[],
  issues: SampleIssue[],
  { previous, onProgress, signal }: ImportOptions,
): Promise<Map<string, FileFacts>> {
  const known = new Map(previous?.samples.map((sample) => [sample.path, sample]));
  const since = previous ? Date.parse(previous.importedAt) : 0;
  const facts = new Map<string, FileFacts>();
  const problems: SampleIssue[] = [];
  let next = 0;
  let done = 0;
  const reader = async (): Promise<void> => {
    while (next < images.length) {
      if (signal?.aborted)
        throw new CotuneError('cancelled', 'The import was cancelled; nothing was changed.');
      const { path } = images[next++];
      const before = known.get(path);
      try {
        facts.set(path, await readFacts(join(root, path), before, since));
      } catch (error) {
        const kind = error instanceof ImageProblem ? error.kind : 'broken';
        problems.push({ kind, path, detail: (error as Error).message });
      }
      onProgress?.(++done, images.length);
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, reader));
  issues.push(...problems.sort((a, b) => (a.path < b.path ? -1 : 1)));
  return facts;
}

async function readFacts(path: string, before: FileFacts | undefined, since: number): Promise<FileFacts> {
  const { size, mtimeMs } = await stat(path);
  if (before && before.bytes === size && mtimeMs < since) {
    const { width, height, bytes, hash, perceptualHash } = before;
    return { width, height, bytes, hash, perceptualHash };
  }
  const data = await readImageFile(path);
  const hash = createHash('sha256').update(data).digest('hex');
  const { image, width, height } = await openImage(data);
  return { width, height, bytes: size, hash, perceptualHash: await differenceHash(image) };
}

/** Given splits stay; otherwise a fifth of each class, by seed, is the test split. A class's only image is for training. */
function assignSplits(images: FoundImage[], seed: number): Map<string, Split> {
  const hasTest = images.some((image) => image.split === 'test');
  const splits = new Map<string, Split>();
  for (const image of images) splits.set(image.path, image.split ?? 'train');
  if (hasTest) return splits;
  const pool = images.filter((image) => splits.get(image.path) === 'train');
  for (const [className, members] of Map.groupBy(pool, (image) => image.className)) {
    const paths = members.map((image) => image.path).sort();
    const order = permutation(paths.length, randomOf(seed, keyOf(className), keyOf('test')));
    const count = Math.min(Math.round(paths.length * testFraction), paths.length - 1);
    for (const index of order.slice(0, count)) splits.set(paths[index], 'test');
  }
  return splits;
}

function duplicateIssues(samples: NewSample[]): SampleIssue[] {
  const issues: SampleIssue[] = [];
  const across = (a: NewSample, b: NewSample): string => {
    const where = a.split === b.split ? '' : `; one is in ${a.split}, the other in ${b.split}`;
    return where + (a.label === b.label ? '' : '; their classes differ');
  };
  const first = new Map<string, NewSample>();
  for (const sample of samples) {
    const original = first.get(sample.hash);
    if (original)
      issues.push({
        kind: 'exact-duplicate',
        path: sample.path,
        other: original.path,
        detail: `the same file as ${original.path}${across(original, sample)}`,
      });
    else first.set(sample.hash, sample);
  }
  const distinct = [...first.values()];
  for (const [a, b] of nearPairs(distinct.map((sample) => sample.perceptualHash))) {
    const [kept, named] =
      distinct[b].split === 'train' ? [distinct[b], distinct[a]] : [distinct[a], distinct[b]];
    issues.push({
      kind: 'near-duplicate',
      path: named.path,
      other: kept.path,
      detail: `looks the same as ${kept.path}${across(kept, named)}`,
    });
  }
  return issues;
}

function classIssues(classes: string[], samples: NewSample[]): SampleIssue[] {
  return classes.flatMap((className, label): SampleIssue[] => {
    const members = samples.filter((sample) => sample.label === label);
    const training = members.filter((sample) => sample.split === 'train').length;
    if (members.length === 1)
      return [
        { kind: 'single-in-class', path: members[0].path, detail: `the only image of class ${className}` },
      ];
    if (training === 0)
      return [
        {
          kind: 'single-in-class',
          path: members[0].path,
          detail: `class ${className} has no training image`,
        },
      ];
    return [];
  });
}

function changesSince(previous: PreviousImport | undefined, samples: NewSample[]): string[] {
  if (!previous) return [];
  const before = new Map(previous.samples.map((sample) => [sample.path, sample.hash]));
  const now = new Set(samples.map((sample) => sample.path));
  const added = samples.filter((sample) => !before.has(sample.path)).length;
  const changed = samples.filter(
    (sample) => before.has(sample.path) && before.get(sample.path) !== sample.hash,
  ).length;
  const removed = previous.samples.filter((sample) => !now.has(sample.path)).length;
  return [`Since the last import: ${added} added, ${changed} changed, ${removed} removed.`];
}

function datasetHash(samples: NewSample[], classes: string[]): string {
  const hash = createHash('sha256');
  for (const sample of [...samples].sort((a, b) => (a.path < b.path ? -1 : 1)))
    hash.update(JSON.stringify([sample.path, sample.hash, classes[sample.label], sample.split]));
  return hash.digest('hex');
}
