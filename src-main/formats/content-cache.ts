/**
 * Values that follow from content, kept between processes under the hash of everything that they follow from. One file
 * per value, `<cache>/<kind>/<first two digits>/<key>`: 16 bytes of header (magic, version, CRC-32 and length of the value;
 * little-endian) and the value. A file appears whole (temporary name, sync, rename) and is checked when it is read; what
 * is torn, empty or something else counts as absent and is made again. A kind has a limit: beyond it the values that were
 * used least recently go. Several processes may share a folder; all of it is safe to delete.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, futimesSync, openSync, readSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { makeRoom } from './make-room.ts';
import { explainSystemError } from './system-error.ts';
import { writeWholeMeanwhile } from './write-whole.ts';

const magic = 0x43505443;
const version = 1;
const headerBytes = 16;
/** A value read again within this time keeps its place among the recently used. */
const touchAfterMs = 600_000;
/** Bytes that are made free at once, where the limit is large, so that the folder is not listed for every value. */
const slackBytes = 64 * 2 ** 20;

export interface ContentCache {
  /** The value of a key, or null where there is none that is whole. It begins where every typed array may. */
  read(key: string): Buffer | null;
  /**
   * Keeps a value; one that exceeds the limit alone is not kept.
   * @throws CotuneError `unavailable` where it cannot be written.
   */
  write(key: string, value: Uint8Array): Promise<void>;
  /**
   * The value of a key, made where there is none that is whole, and kept unless `follows` says, when it is made, that it does not
   * follow from the key alone. Errors: those of `make` and `write`.
   */
  getOrMake(key: string, make: () => Promise<Uint8Array>, follows?: () => boolean): Promise<Uint8Array>;
}

/**
 * The key of a value: SHA-256 (hex) over the named parts that it follows from, in any order of their names. A value's
 * maker counts as one: name a version of it. Parts are what JSON can say; typed arrays go in as their hashes.
 */
export const contentKey = (parts: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(canonical(parts, 'key')).digest('hex');

/** JSON with sorted names; refuses what JSON would silently drop or change, because two contents would share a key. */
function canonical(value: unknown, where: string): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item, at) => canonical(item, `${where}[${at}]`)).join()}]`;
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    const said = entries.map(
      ([name, part]) => `${JSON.stringify(name)}:${canonical(part, `${where}.${name}`)}`,
    );
    return `{${said.join()}}`;
  }
  throw new Error(`${where} cannot be part of a content key.`);
}

const opened = new Map<string, ContentCache>();

/** The values of one kind below the cache folder. `limit` bounds them in bytes, headers included. */
export function openContentCache(cacheFolder: string, kind: string, limit: number): ContentCache {
  const folder = join(cacheFolder, kind);
  const name = `${folder} ${limit}`;
  const cache = opened.get(name) ?? openFolder(folder, limit);
  opened.set(name, cache);
  return cache;
}

/** One per process and folder, which keeps count of what is written there. */
function openFolder(folder: string, limit: number): ContentCache {
  const pathOf = (key: string) => join(folder, key.slice(0, 2), key);
  /** Bytes that this process may write before the folder is listed again; others write too. */
  let allowance = 0;

  let listing: Promise<void> | null = null;

  async function list(bytes: number): Promise<void> {
    const wanted = Math.max(bytes, Math.min(slackBytes, limit / 10));
    const { budget, used } = await makeRoom(folder, wanted, limit);
    allowance = Math.min(wanted, budget - used);
  }

  /** Whether so many bytes may be written. Writes that come while the folder is listed wait for that one listing. */
  async function reserve(bytes: number): Promise<boolean> {
    if (bytes > allowance) {
      listing ??= list(bytes).finally(() => {
        listing = null;
      });
      await listing;
    }
    if (bytes > allowance) return false;
    allowance -= bytes;
    return true;
  }

  const cache: ContentCache = {
    read: (key) => readWhole(pathOf(key)),
    async write(key, value) {
      if (await reserve(headerBytes + value.byteLength)) await store(pathOf(key), value);
    },
    async getOrMake(key, make, follows = () => true) {
      const stored = cache.read(key);
      if (stored) return stored;
      const made = await make();
      if (follows()) await cache.write(key, made);
      return made;
    },
  };
  return cache;
}

/** In one go: values are small, and a turn of the event loop for each would take most of the time. */
function readWhole(path: string): Buffer | null {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const { mtimeMs, size } = fstatSync(file);
    // A buffer of its own begins at an address that every element type can have.
    const bytes = Buffer.allocUnsafeSlow(size);
    const sound =
      size >= headerBytes &&
      readSync(file, bytes, 0, size, 0) === size &&
      bytes.readUInt32LE(0) === magic &&
      bytes.readUInt16LE(4) === version &&
      bytes.readUIntLE(10, 6) === size - headerBytes;
    if (!sound) return null;
    const value = bytes.subarray(headerBytes);
    if (crc32(value) !== bytes.readUInt32LE(6)) return null;
    if (Date.now() - mtimeMs > touchAfterMs) touch(file);
    return value;
  } catch {
    // A file that cannot be read is as good as none.
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

function touch(file: number): void {
  const now = Date.now() / 1000;
  try {
    futimesSync(file, now, now);
  } catch {
    // Another user's folder may forbid it; the value then keeps its place.
  }
}

async function store(path: string, value: Uint8Array): Promise<void> {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(magic, 0);
  header.writeUInt16LE(version, 4);
  header.writeUInt32LE(crc32(value), 6);
  header.writeUIntLE(value.byteLength, 10, 6);
  const bytes = headerBytes + value.byteLength;
  await mkdir(dirname(path), { recursive: true }).catch((error) => {
    throw explainSystemError(error, { path, bytes });
  });
  await writeWholeMeanwhile(path, [header, value], bytes);
}
