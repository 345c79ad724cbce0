/**
 * What cannot be opened in the middle is unpacked once, into a folder of files that can all be made again, each under the
 * hash of what it follows from: the file, in the state that its stamp tells, and what of it is unpacked.
 */
import { createReadStream, createWriteStream, existsSync, utimesSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { createGunzip, createInflateRaw } from 'node:zlib';
import { CotuneError } from '../../src-shared/errors.ts';
import { contentKey } from '../formats/content-cache.ts';
import { makeRoom, temporaryEnd } from '../formats/make-room.ts';
import { diskFull, explainSystemError } from '../formats/system-error.ts';
import { stampOf, unsettledStampOf } from './file-stamp.ts';
import type { Packed, Place } from './locator.ts';

const version = 1;
/** Bytes of all that is unpacked. */
const limit = 2 ** 38;
/** What photographs and tables are packed by, and far more: what grows beyond it is made to fill disks. */
const mostGrowth = 100;
const freeGrowth = 2 ** 24;
/** Bytes that so many packed ones may come to. */
export const mostUnpacked = (packed: number): number => mostGrowth * packed + freeGrowth;

/** For so many bytes at once room is made. */
const roomBytes = 2 ** 28;
/** Longer than any file system's clock is coarse. */
const settleMs = 3_000;

/** A place as whoever reads it needs it: with what is unpacked of it in `unpackedFolder`. System errors pass through. */
export function resolvePlace({ folder, locator }: Place, unpackedFolder: string): Place {
  const { file, packed, ...rest } = locator;
  if (!packed) return { folder, locator };
  const name = nameOf(join(folder, file), packed);
  return { folder: unpackedFolder, locator: { file: name, ...rest } };
}

/**
 * Makes sure that what a locator needs is unpacked; `told` is called now and then while it is made. Errors: `bad-input` where it
 * cannot be unpacked, or grows like what is made to fill disks; `unavailable` where there is no room.
 */
export async function unpack(
  { folder, locator: { file, packed = [] } }: Place,
  unpackedFolder: string,
  told: () => void = () => {},
): Promise<void> {
  const path = join(folder, file);
  let from = path;
  for (const [at, step] of packed.entries()) {
    const steps = packed.slice(0, at + 1);
    const to = join(unpackedFolder, nameOf(path, steps));
    if (existsSync(to)) touch(to);
    else {
      const stamp = await settledStamp(path);
      await mkdir(unpackedFolder, { recursive: true });
      await unpackStep(from, step, to, file, told);
      if (join(unpackedFolder, nameOf(path, steps)) !== to || (await stampOf(path)) !== stamp) {
        await rm(to, { force: true });
        throw new CotuneError(
          'conflict',
          `${path} changed while it was read.`,
          'Import it once it is whole.',
        );
      }
    }
    from = to;
  }
}

const nameOf = (path: string, packed: readonly Packed[]): string =>
  contentKey({
    what: 'unpacked',
    version,
    path,
    stamp: unsettledStampOf(path),
    packed: JSON.stringify(packed),
  });

/** A file's stamp once it says something. */
async function settledStamp(path: string): Promise<string | null> {
  for (const end = Date.now() + settleMs; ; await wait(60)) {
    const stamp = await stampOf(path);
    if (stamp !== null || Date.now() > end) return stamp;
  }
}

/** It was used just now: others go first. */
function touch(path: string): void {
  const now = Date.now() / 1000;
  try {
    utimesSync(path, now, now);
  } catch {
    // Another user's folder may forbid it; it then keeps its place.
  }
}

async function unpackStep(
  from: string,
  { part, gzip }: Packed,
  to: string,
  name: string,
  told: () => void,
): Promise<void> {
  const bytes = part ? part.bytes : (await stat(from)).size;
  const range = part && { start: part.offset, end: part.offset + part.bytes - 1 };
  const temporary = `${to}.${process.pid}${temporaryEnd}`;
  const most = Math.min(mostUnpacked(bytes), part?.deflated && !gzip ? part.deflated.bytes : Infinity);
  try {
    await pipeline([
      createReadStream(from, range),
      ...(part?.deflated ? [createInflateRaw()] : []),
      ...(gzip ? [createGunzip()] : []),
      bounded(to, name, most, told),
      createWriteStream(temporary),
    ]);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE')
      throw new CotuneError(
        'bad-input',
        `${basename(name)} cannot be unpacked: it is damaged or cut off (${message}).`,
        'Get it again.',
        { cause: error },
      );
    throw explainSystemError(error, { path: to });
  }
}

/** Lets so many bytes through, and only what there is room for. */
function bounded(to: string, name: string, most: number, told: () => void): Transform {
  let passed = 0;
  let room = 0;
  const check = async (length: number) => {
    passed += length;
    if (passed > most)
      throw new CotuneError(
        'bad-input',
        `${basename(name)} is refused: it unpacks to more than ${Math.round(most / 2 ** 20)} MiB, as no images do.`,
        'Unpack it yourself where it is to be trusted, and import the folder.',
      );
    if (passed <= room) return;
    told();
    const { budget, used } = await makeRoom(join(to, '..'), roomBytes, limit);
    if (used + roomBytes > budget) throw diskFull(to, { needed: roomBytes });
    room = passed + roomBytes;
  };
  return new Transform({
    transform(chunk, _, done) {
      check(chunk.length).then(
        () => done(null, chunk),
        (error) => done(error),
      );
    },
  });
}
