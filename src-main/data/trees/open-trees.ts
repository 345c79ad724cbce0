import { posix } from 'node:path';
import { CotuneError } from '../../../src-shared/errors.ts';
import { DamagedFile, FileBytes } from '../../formats/file-bytes.ts';
import { stampOf } from '../file-stamp.ts';
import { isImage } from '../folder.ts';
import type { Locator, Packed, RangePart } from '../locator.ts';
import { fileOf } from '../read-located.ts';
import { resolvePlace, unpack } from '../unpacked.ts';
import { archiveMembers } from './archive-members.ts';
import { openFolder } from './folder-tree.ts';
import { type FileTree, notThere } from './tree.ts';
import { type TreeEntry, type TreeParts, treeOf } from './tree-of.ts';

const archiveEnd = /\.(tar|zip|tgz|tar\.gz)$/i;
const gzipEnd = /\.(tgz|tar\.gz)$/i;
/** Archives in archives in archives. */
const maxDepth = 3;

export interface TreeOptions {
  /** Where what cannot be opened in the middle is unpacked. */
  unpackedFolder: string;
  /** Whether archives are looked into that lie beside images, too. */
  everyArchive: boolean;
  /** Whether links are followed that lead out of the folder. */
  links?: 'inside' | 'all';
  /** Told now and then while something is unpacked. */
  told?: () => void;
}

/** The files of a dataset with what is in its archives, put in one place or the other. */
export interface DatasetTrees {
  /** Each archive in a folder of its name. */
  inFolders: FileTree;
  /** As if all archives were unpacked where they lie. Errors: as `openTrees`. */
  inPlace(): Promise<FileTree>;
}

/**
 * The files of a dataset, which is a folder, or a file in that folder and what it names. Archives are read where they are: what is in
 * `a.tar` appears in a folder `a` or beside it, and an archive that is the dataset is that folder itself. Archives in a folder are
 * looked into where no images lie beside them, each once.
 * @throws CotuneError `not-found` where nothing is there, `bad-input` where it cannot be read.
 */
export async function openTrees(
  folder: string,
  file: string | null,
  options: TreeOptions,
): Promise<DatasetTrees> {
  const outer = await outerTree(folder, file, options);
  const open = openOnce(options);
  const inFolders = treeOf(await withInner(outer, false, open, options), options);
  let inPlace = inFolders.archives.length === 0 ? Promise.resolve(inFolders) : undefined;
  return {
    inFolders,
    inPlace() {
      inPlace ??= withInner(outer, true, open, options).then((parts) => treeOf(parts, options));
      return inPlace;
    },
  };
}

/** With what is in archives, and in those that they hold. */
async function withInner(
  outer: TreeParts,
  inPlace: boolean,
  open: OpenArchive,
  { everyArchive }: TreeOptions,
): Promise<TreeParts> {
  let parts = outer;
  for (let depth = 1; depth <= maxDepth; depth++) {
    const archives = [...parts.entries.keys()].filter((path) => archiveEnd.test(path));
    // A file that was named says itself what belongs to it.
    if (archives.length === 0 || (parts.named !== null && !everyArchive)) break;
    if (!everyArchive && [...parts.entries.keys()].some(isImage))
      return { ...parts, notes: [...parts.notes, besideNote(archives)] };
    parts = await withArchives(parts, archives, inPlace, open);
  }
  return parts;
}

/** The dataset before any archive in it is looked into. */
async function outerTree(folder: string, file: string | null, options: TreeOptions): Promise<TreeParts> {
  const { links = 'inside' } = options;
  if (file === null) return openFolder(folder, links);
  if (archiveEnd.test(file)) return onlyArchive(folder, file, options);
  const parts = await openFolder(folder, links);
  if (!parts.entries.has(file)) throw notThere(folder, file);
  return { ...parts, named: file };
}

const besideNote = ([first, ...more]: string[]): string =>
  `${first}${more.length > 0 ? ` and ${more.length} more archives lie` : ' lies'} beside images, and was not looked into. Where it belongs to them, name the format of the dataset; where it is the dataset, import it alone.`;

const nothing = { archives: [], emptyFolders: [], issues: [], notes: [], stamps: new Map() };

/** A dataset that is an archive. */
async function onlyArchive(folder: string, file: string, options: TreeOptions): Promise<TreeParts> {
  const itself = new Map([[file, { bytes: 0, locator: { file } }]]);
  const parts: TreeParts = { folder, named: null, entries: itself, ...nothing };
  const { entries, issues, stamps } = await openArchive(parts, file, options);
  const bare = withoutTop(entries);
  const strip = (path: string) => (bare === entries ? path : path.slice(path.indexOf('/') + 1));
  return {
    ...parts,
    entries: bare,
    issues: issues.map((issue) => ({ ...issue, path: strip(issue.path) })),
    stamps,
  };
}

/** Puts what is in some archives in their place. */
async function withArchives(
  parts: TreeParts,
  archives: string[],
  inPlace: boolean,
  open: OpenArchive,
): Promise<TreeParts> {
  const entries = new Map(parts.entries);
  const issues = [...parts.issues];
  const notes = [...parts.notes];
  const stamps = new Map(parts.stamps);
  for (const path of archives) {
    entries.delete(path);
    const inner = path.replace(archiveEnd, '');
    if (!inPlace && [...parts.entries.keys()].some((other) => other.startsWith(`${inner}/`))) {
      notes.push(`${path} was not looked into: a folder ${inner} lies beside it.`);
      continue;
    }
    const opened = await open(parts, path);
    const folder = inPlace ? posix.dirname(path) : inner;
    const bare = inPlace ? opened.entries : withoutTop(opened.entries, posix.basename(inner));
    const placed = Array.from(bare, ([name, entry]) => [posix.join(folder, name), entry] as const);
    const taken = placed.find(([name]) => entries.has(name));
    if (taken) {
      notes.push(`${path} was left out: it holds ${taken[0]}, which lies beside it already.`);
      continue;
    }
    for (const [name, entry] of placed) entries.set(name, entry);
    for (const issue of opened.issues) issues.push({ ...issue, path: posix.join(folder, issue.path) });
    for (const [archive, stamp] of opened.stamps) stamps.set(archive, stamp);
  }
  return { ...parts, entries, archives: [...parts.archives, ...archives], issues, notes, stamps };
}

/** Without the one folder that everything lies in, where that holds folders, or where it is called `name`. */
function withoutTop(entries: ReadonlyMap<string, TreeEntry>, name?: string): ReadonlyMap<string, TreeEntry> {
  const [first] = entries.keys();
  const top = first?.slice(0, first.indexOf('/') + 1);
  const all = [...entries.keys()];
  if (!top || !all.every((path) => path.startsWith(top))) return entries;
  const wanted = name === undefined ? all.some((path) => path.includes('/', top.length)) : top === `${name}/`;
  return wanted ? new Map([...entries].map(([path, entry]) => [path.slice(top.length), entry])) : entries;
}

type Opened = Pick<TreeParts, 'entries' | 'issues' | 'stamps'>;
type OpenArchive = (parts: TreeParts, path: string) => Promise<Opened>;

/** `openArchive`, once for each archive, wherever it stands in a tree. */
function openOnce(options: TreeOptions): OpenArchive {
  const known = new Map<string, Opened>();
  return async (parts, path) => {
    const key = JSON.stringify([parts.entries.get(path)!.locator, gzipEnd.test(path)]);
    const opened = known.get(key) ?? (await openArchive(parts, path, options));
    known.set(key, opened);
    return opened;
  };
}

/** What is in an archive that stands in a tree. */
async function openArchive(
  { folder, entries, stamps }: TreeParts,
  path: string,
  { unpackedFolder, told }: TreeOptions,
): Promise<Opened> {
  const { file, packed = [], part } = entries.get(path)!.locator;
  const range = part?.kind === 'range' ? part : undefined;
  const gzip = gzipEnd.test(path);
  // What is stored as it is inside another archive can be opened in the middle of that.
  const steps: Packed[] =
    gzip || range?.deflated ? [...packed, { gzip, ...(range && { part: range }) }] : packed;
  const base = steps === packed ? (range?.offset ?? 0) : 0;
  const source: Locator = { file, ...(steps.length > 0 && { packed: steps }) };
  const stamp = stamps.has(file) ? stamps.get(file)! : await stampOf(fileOf({ folder, locator: { file } }));
  if (steps.length > 0) await unpack({ folder, locator: source }, unpackedFolder, told);
  const issues: Opened['issues'][number][] = [];
  const inside = new Map<string, TreeEntry>();
  try {
    const from = fileOf(resolvePlace({ folder, locator: source }, unpackedFolder));
    const piece = steps === packed && range ? { begin: range.offset, size: range.bytes } : undefined;
    for (const { path: name, bytes, found } of archiveMembers(new FileBytes(from, piece))) {
      const same = 'same' in found ? inside.get(found.same) : undefined;
      if (same) inside.set(name, same);
      else if ('kind' in found) inside.set(name, { bytes, locator: { ...source, part: moved(found, base) } });
      else issues.push({ kind: 'unsupported', path: name, detail: whyNot(found) });
    }
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    throw new CotuneError(
      'bad-input',
      `The archive ${path} is refused: ${error.message}.`,
      'Get it again from where it is published, or unpack it yourself and import the folder.',
      { cause: error },
    );
  }
  return { entries: inside, issues, stamps: new Map([[file, stamp]]) };
}

const whyNot = (found: { same: string } | { refused: string }): string =>
  'same' in found
    ? `it is a link to ${found.same}, which does not stand before it in the archive`
    : found.refused;

const moved = (part: RangePart, by: number): RangePart => ({ ...part, offset: part.offset + by });
