import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { mkdir, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import type { ImportChoice } from '../../src-shared/contract.ts';
import type { SampleIssue } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { diskFull, explainSystemError } from '../formats/system-error.ts';
import { type DatasetPlace, openDataset } from './list-images.ts';
import type { Place } from './locator.ts';
import { fileOf } from './read-located.ts';
import type { FileTree } from './trees/tree.ts';
import { mostUnpacked, resolvePlace } from './unpacked.ts';

/** What an unpacked dataset was made of. */
export interface TreeOrigin {
  /** Of the archives, by their paths in the folder: `stampOf` them before. */
  stamps: Record<string, string | null>;
  /** What of them could not be looked into. */
  issues: readonly SampleIssue[];
}

/**
 * Writes the files of a dataset that lies in archives into a folder that is there and empty, under the names that an import in place gives them;
 * `told` is called with how many there are. Errors: as `openDataset`; `bad-input` where there is no archive, or what it holds grows like what
 * is made to fill disks; `unavailable` where there is no room.
 */
export async function writeTree(
  place: DatasetPlace,
  choice: ImportChoice,
  unpackedFolder: string,
  to: string,
  told: (done: number, total: number) => void,
): Promise<TreeOrigin> {
  const { tree } = await openDataset(place, choice, unpackedFolder, () => told(0, 1));
  if (tree.stamps.size === 0)
    throw new CotuneError(
      'bad-input',
      `${join(place.folder, place.file ?? '')} holds no archive that could be unpacked.`,
      'Import it as it is, or name the archive.',
    );
  await checkSize(tree, to);
  const made = new Set([to]);
  let done = 0;
  for (const [path, { bytes }] of tree.files) {
    const file = join(to, path);
    if (!file.startsWith(to + sep)) throw new Error(`${path} leads out of the dataset.`);
    const from = resolvePlace({ folder: tree.folder, locator: tree.locate(path) }, unpackedFolder);
    try {
      await makeFolders(dirname(file), made);
      await copyPlace(from, file, bytes);
    } catch (error) {
      throw unwritable(path, error);
    }
    told(++done, tree.files.size);
  }
  return { stamps: Object.fromEntries(tree.stamps), issues: tree.issues };
}

/** Refuses what would not fit, before anything is written. */
async function checkSize({ folder, files, stamps }: FileTree, to: string): Promise<void> {
  let bytes = 0;
  for (const file of files.values()) bytes += file.bytes;
  let packed = 0;
  for (const archive of stamps.keys()) packed += statSync(join(folder, archive)).size;
  if (bytes > mostUnpacked(packed))
    throw new CotuneError(
      'bad-input',
      `What is in ${folder} is refused: it unpacks to ${Math.round(bytes / 2 ** 20)} MiB, as no images do.`,
      'Unpack it yourself where it is to be trusted, and import the folder.',
    );
  const disk = await statfs(to);
  if (bytes > (disk.bavail * disk.bsize) / 2) throw diskFull(to, { needed: bytes });
}

/** Level by level, so that a folder which was taken away does not come back. */
async function makeFolders(folder: string, made: Set<string>): Promise<void> {
  if (made.has(folder)) return;
  await makeFolders(dirname(folder), made);
  await mkdir(folder);
  made.add(folder);
}

async function copyPlace(from: Place, to: string, bytes: number): Promise<void> {
  const { part } = from.locator;
  const range = part?.kind === 'range' ? part : undefined;
  if (bytes > 0 && range?.bytes !== 0)
    await pipeline([
      createReadStream(fileOf(from), range && { start: range.offset, end: range.offset + range.bytes - 1 }),
      ...(range?.deflated ? [createInflateRaw()] : []),
      exactly(bytes),
      createWriteStream(to, { flags: 'wx' }),
    ]);
  else await writeFile(to, '', { flag: 'wx' });
}

/** Lets through what its archive says that a file has, neither more nor less. */
function exactly(bytes: number): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk, _, next) {
      passed += chunk.length;
      next(passed > bytes ? new OtherSize() : null, chunk);
    },
    flush: (end) => end(passed < bytes ? new OtherSize() : null),
  });
}

class OtherSize extends Error {}

function unwritable(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const isDamaged =
    error instanceof OtherSize || code?.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE';
  if (isDamaged)
    return new CotuneError(
      'bad-input',
      `${path} cannot be unpacked: it is damaged, or not as large as its archive says.`,
      'Import the archive where it is: what is damaged is then left out and named.',
      { cause: error },
    );
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return new CotuneError(
      'bad-input',
      `${path} cannot be unpacked: another file has its name here.`,
      'Import the archive where it is.',
      { cause: error },
    );
  const explained = explainSystemError(error, { path });
  return explained instanceof Error ? explained : new Error(message, { cause: error });
}
