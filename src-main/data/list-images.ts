import { join } from 'node:path';
import type { z } from 'zod';
import type { ImportChoice } from '../../src-shared/contract.ts';
import type { DatasetFormatFacts, SampleIssue } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { folders } from './formats/folders.ts';
import type { DatasetFormat, FormatOptions, FoundImage, UnlabelledFolder } from './formats/format.ts';
import { datasetFormats } from './formats/index.ts';
import { isPlainFile } from './locator.ts';
import { groupsBy } from './name-groups.ts';
import { openTrees } from './trees/open-trees.ts';
import type { FileTree } from './trees/tree.ts';

/** Where a dataset is: a folder, an absolute path, or a file in that folder. */
export interface DatasetPlace {
  folder: string;
  file: string | null;
}

/** What a dataset holds beside its images. */
export interface Listing {
  format: DatasetFormatFacts;
  holds: 'images' | 'texts';
  /** In their order, where the dataset has one; else null. */
  classes: string[] | null;
  unlabelled: UnlabelledFolder[];
  issues: SampleIssue[];
  notes: string[];
  /** Of the archives that images are in, by their paths in the folder: `stampOf` them before they were read. */
  stamps: ReadonlyMap<string, string | null>;
}

const batch = 1000;

/**
 * Finds out how a dataset lies and lists its images, telling them in batches (empty ones while it
 * takes its time). It is the folder at an absolute path, or a `file` in
 * that folder.
 * @throws CotuneError `not-found` where it is not there, `bad-input` where it is of no known format or holds no image.
 */
export async function listImages(
  { folder, file }: DatasetPlace,
  choice: ImportChoice,
  unpackedFolder: string,
  hear: (images: FoundImage[]) => void,
): Promise<Listing> {
  const { tree, format, why, said } = await openDataset({ folder, file }, choice, unpackedFolder, () =>
    hear([]),
  );
  const listing: Listing = {
    format: { name: format.name, title: format.title, why },
    holds: 'images',
    classes: null,
    unlabelled: [],
    issues: [...tree.issues],
    notes: [...tree.notes],
    stamps: new Map(tree.stamps),
  };
  const groupOf = groupsBy(choice.groupBy);
  const options: FormatOptions = {
    tell: (note) => void listing.notes.push(note),
    issue: (issue) => void listing.issues.push(issue),
    unlabelled: (folder) => void listing.unlabelled.push(folder),
    classes: (names) => {
      listing.classes = [...names];
    },
    ...said,
  };
  let waiting: FoundImage[] = [];
  /** Classes of the images by path. */
  const seen = new Map<string, string>();
  for await (const image of format.read(tree, options)) {
    const before = seen.get(image.path);
    const located = before === undefined ? withLocator(tree, image) : twice(image, before);
    if (!('className' in located)) {
      listing.issues.push(located);
      continue;
    }
    seen.set(image.path, image.className);
    if (image.text) listing.holds = 'texts';
    const group = located.group ?? groupOf(located.path);
    waiting.push(group === undefined ? located : { ...located, group });
    if (waiting.length < batch) continue;
    hear(waiting);
    waiting = [];
  }
  const isTexts = listing.holds === 'texts';
  if (seen.size === 0)
    throw new CotuneError(
      'bad-input',
      `${file === null ? folder : join(folder, file)} holds no ${isTexts ? 'text' : 'image'}, read as ${format.title}: ${why}`,
      'Name another format with --format, or another folder.',
    );
  hear(waiting);
  return listing;
}

/** The files of a dataset, the format that it is of, and what a person said about it. Errors: as `listImages`. */
export async function openDataset(
  { folder, file }: DatasetPlace,
  choice: ImportChoice,
  unpackedFolder: string,
  told: () => void,
): Promise<{
  tree: FileTree;
  format: DatasetFormat;
  why: string;
  said: Pick<FormatOptions, 'layout' | 'columns' | 'values'>;
}> {
  const { format: wanted = 'auto', layout = { splits: 'names' }, columns = {}, values = {} } = choice;
  const { inFolders, inPlace } = await openTrees(folder, file, {
    unpackedFolder,
    // Who names a format knows what belongs to it.
    everyArchive: wanted !== 'auto' && wanted !== folders.name,
    links: choice.links,
    told,
  });
  const treeFor = async ({ archives }: DatasetFormat) => (archives === 'in-place' ? inPlace() : inFolders);
  const { format, why } = await formatOf(inFolders, wanted, treeFor);
  const tree = await treeFor(format);
  return { tree, format, why, said: { layout, columns, values: valuesOf(format, values) } };
}

/** An image with its locator, but for a plain file at its own path; an issue where the file is not there. */
function withLocator(tree: FileTree, { locator: given, ...image }: FoundImage): FoundImage | SampleIssue {
  const { path } = image;
  if (image.text) return image;
  if (!given && !tree.files.has(path)) return { kind: 'missing-file', path, detail: whyMissing(path) };
  const locator = given ?? tree.locate(path);
  return isPlainFile(locator) && locator.file === path ? image : { ...image, locator };
}

const whyMissing = (path: string): string => {
  if (/:\/\//.test(path)) return 'it is an address, and nothing is fetched';
  const leaves = /^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)/.test(path);
  return leaves ? 'it leads out of the dataset, where nothing is read' : 'it is named, and not there';
};

const twice = ({ path, className }: FoundImage, before: string): SampleIssue => ({
  kind: 'bad-row',
  path,
  detail:
    className === before
      ? 'it is named twice'
      : `it is named twice, as ${before} and as ${className}; the first counts`,
});

/** The format that a person names, or the one that a tree looks most like. */
async function formatOf(
  { named: file, folder }: FileTree,
  name: string,
  treeFor: (format: DatasetFormat) => Promise<FileTree>,
): Promise<{ format: DatasetFormat; why: string }> {
  const named = datasetFormats.find((format) => format.name === name);
  if (named) return { format: named, why: 'It was named.' };
  if (name !== 'auto')
    throw new CotuneError(
      'bad-input',
      `There is no dataset format "${name}".`,
      `Known are auto, ${datasetFormats.map((format) => format.name).join(', ')}.`,
    );
  let best: { format: DatasetFormat; why: string; confidence: number } | undefined;
  for (const format of datasetFormats) {
    const detected = await format.detect(await treeFor(format));
    if (detected && detected.confidence > (best?.confidence ?? 0)) best = { format, ...detected };
  }
  if (best) return best;
  throw new CotuneError(
    'bad-input',
    `${file ?? folder} is of no known dataset format.`,
    `Name one with --format: ${datasetFormats.map((format) => format.name).join(', ')}.`,
  );
}

/** A format's options, with the defaults of those that are not given. */
function valuesOf({ title, options }: DatasetFormat, given: Record<string, string>): Record<string, unknown> {
  const known = Object.keys(options?.shape ?? {});
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new CotuneError(
      'bad-input',
      `${title} has no option "${unknown}".`,
      known.length > 0 ? `It has ${known.join(', ')}.` : 'It has none.',
    );
  const parsed = options?.safeParse(given);
  if (!parsed) return {};
  if (parsed.success) return parsed.data;
  const issues: z.core.$ZodIssue[] = parsed.error.issues;
  throw new CotuneError(
    'bad-input',
    `The option ${issues[0].path.join('.')} of ${title} cannot be used: ${issues[0].message}.`,
    'See cotune import --help.',
  );
}
