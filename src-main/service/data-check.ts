import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { CotuneError } from '../../src-shared/errors.ts';
import { stampOf, withStamp } from '../data/file-stamp.ts';
import { isPlainFile, type Place } from '../data/locator.ts';
import { fileOf } from '../data/read-located.ts';
import type { StampedSample } from '../store/samples.ts';
import type { Base } from './base.ts';
import { fileOfSample, readablePlace, unpackFor } from './image-places.ts';
import type { Reader } from './reader.ts';

const atOnce = 32;

/**
 * Makes sure that a dataset's images are those that were imported. A file is believed to be where it still bears the stamp
 * of the import; any other is read and hashed, and its new stamp kept, so that it is read once. Cost: a look at every
 * file's entry; for a dataset of an earlier version, whose stamps are not known, one reading of every file.
 * Errors: `conflict`, naming the first few that differ.
 */
export async function checkUnchanged(
  base: Pick<Base, 'store' | 'reader' | 'home'>,
  folder: string,
  samples: readonly StampedSample[],
): Promise<void> {
  const { store } = base;
  await unpackFor(base, folder, samples);
  const stampNow = stampsOnce();
  const changed: string[] = [];
  const restamped: [id: number, stamp: string][] = [];
  const queue = samples.values();
  const worker = async () => {
    for (const sample of queue) {
      const { difference, stamp } = await look(base, folder, sample, stampNow);
      if (difference) changed.push(`${sample.path} ${difference}`);
      else if (stamp && stamp !== sample.stamp) restamped.push([sample.id, stamp]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (restamped.length > 0) {
    store.transaction(() => {
      for (const [id, stamp] of restamped) store.samples.setStamp(id, stamp);
    });
  }
  if (changed.length === 0) return;
  const named = changed.slice(0, 3).join('; ');
  throw new CotuneError(
    'conflict',
    `${changed.length} of ${samples.length} images in ${folder} changed since the import: ${named}${changed.length > 3 ? '; …' : ''}.`,
    'Import the folder again under the same name, then start the run again.',
  );
}

type StampOf = (path: string, inArchive: boolean) => Promise<string | null>;

async function look(
  { home, reader }: Pick<Base, 'home' | 'reader'>,
  folder: string,
  sample: StampedSample,
  stampNow: StampOf,
): Promise<{ difference?: string; stamp?: string | null }> {
  const { locator } = sample;
  try {
    const path = fileOfSample(folder, sample);
    const inArchive = locator?.part !== undefined;
    if (sample.stamp !== null && (await stampNow(path, inArchive)) === sample.stamp)
      return { stamp: sample.stamp };
    const place = readablePlace({ home }, folder, sample);
    if (inArchive) {
      const stamp = await stampNow(path, true);
      const hash = await hashPlace(reader, place, folder);
      return hash === sample.hash ? { stamp } : { difference: 'has different content' };
    }
    const { size } = await stat(path);
    if (size !== sample.bytes) return { difference: `has ${size} bytes instead of ${sample.bytes}` };
    const { value: hash, stamp } = await withStamp(path, () => hashPlace(reader, place, folder));
    return hash === sample.hash ? { stamp } : { difference: 'has different content' };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { difference: code === 'ENOENT' ? 'is missing' : `cannot be read (${message})` };
  }
}

/** `stampOf` a file, of an archive once: thousands of images are in it. */
function stampsOnce(): StampOf {
  const known = new Map<string, Promise<string | null>>();
  return (path, inArchive) => {
    if (!inArchive) return stampOf(path);
    const stamp = known.get(path) ?? stampOf(path);
    known.set(path, stamp);
    return stamp;
  };
}

/** SHA-256 of what is at a place now, in hex: what is inside other files is read where those may do no harm. */
export const hashPlace = (reader: Pick<Reader, 'read'>, place: Place, folder: string): Promise<string> =>
  isPlainFile(place.locator) ? hashFile(fileOf(place)) : reader.read('image-hash', { place }, folder);

/** Bytes of a file that are read at once. In a stream of Node's, of 64 KiB each, reading takes longer than the hash. */
const bytesAtOnce = 2 ** 20;

/** SHA-256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const buffer = Buffer.allocUnsafe(Math.min(bytesAtOnce, size + 1));
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
