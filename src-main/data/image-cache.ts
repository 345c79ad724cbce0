/**
 * Images decoded once: RGB bytes with the shorter side at most `shorter` pixels, one file per content hash under
 * `<cache>/pixels/<shorter>/<first two digits>/<hash>.rgb`. A file is 28 bytes of header (magic, version, extents,
 * original extents, CRC-32 of the pixels; little-endian) and the pixels. The operating system's page cache is the
 * memory tier. Files appear by rename, without fsync: one that a crash left torn has a wrong length or checksum,
 * and is made again.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { CotuneError } from '../../src-shared/errors.ts';
import { temporaryEnd } from '../formats/make-room.ts';
import { explainSystemError } from '../formats/system-error.ts';
import { type Extents, resizedExtents } from './crops.ts';
import { decodeTo, openImage } from './decode.ts';
import { imageError, type RgbImage } from './image.ts';
import { hashLocated, readLocated } from './read-located.ts';
import { cachedPath, type ImageCache, type ImageSource, placeOf } from './stored-images.ts';

export type StoredImage = RgbImage & Extents;

const magic = 0x58505443;
/** Grows when the same file gives other pixels than before. */
const version = 2;
const headerBytes = 28;

/**
 * Reads an image through the cache; `keep` says whether a newly decoded one is stored there.
 * @throws CotuneError `not-found` where the file vanished since import, `bad-input` where it changed or is damaged,
 * `unavailable` where the cache cannot be written.
 */
export async function loadImage(source: ImageSource, cache: ImageCache, keep: boolean): Promise<StoredImage> {
  const path = cachedPath(cache, source.hash);
  const stored = readStored(path);
  if (stored) return stored;
  const image = await decodeSource(source, cache.shorter);
  if (keep) await store(path, image);
  return image;
}

/** Files whose checksum was found right by this thread. */
const verified = new Set<string>();

/** The stored image, or null where there is none or it is damaged. */
function readStored(path: string): StoredImage | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return null;
  }
  if (bytes.length < headerBytes || bytes.readUInt32LE(0) !== magic || bytes.readUInt32LE(4) !== version) {
    return null;
  }
  const [width, height, originalWidth, originalHeight, checksum] = [8, 12, 16, 20, 24].map((at) =>
    bytes.readUInt32LE(at),
  );
  const data = bytes.subarray(headerBytes);
  if (data.length !== width * height * 3) return null;
  if (!verified.has(path)) {
    if (crc32(data) !== checksum) return null;
    verified.add(path);
  }
  return { width, height, originalWidth, originalHeight, data };
}

/** Decodes an image as the cache stores it. Errors as `loadImage`. */
async function decodeSource(source: ImageSource, shorter: number): Promise<StoredImage> {
  const { path, hash } = source;
  const place = placeOf(source);
  try {
    const bytes = await readLocated(place);
    if (hashLocated(bytes, place.locator) !== hash) {
      throw new CotuneError(
        'bad-input',
        `The image ${path} has changed since it was imported.`,
        'Import the folder again.',
      );
    }
    const image = await openImage(bytes, place.locator.crop);
    const { width: originalWidth, height: originalHeight } = image;
    const small = Math.min(originalWidth, originalHeight) <= shorter;
    const [width, height] = small
      ? [originalWidth, originalHeight]
      : resizedExtents(originalWidth, originalHeight, shorter);
    const { data } = await decodeTo(image, width, height, 'exact');
    return { width, height, originalWidth, originalHeight, data };
  } catch (error) {
    throw imageError(error, path, 'bad-input', 'used');
  }
}

async function store(path: string, image: StoredImage): Promise<void> {
  const { width, height, originalWidth, originalHeight, data } = image;
  const header = Buffer.alloc(headerBytes);
  const fields = [magic, version, width, height, originalWidth, originalHeight, crc32(data)];
  for (const [index, field] of fields.entries()) header.writeUInt32LE(field, 4 * index);
  const temporary = `${path}.${randomUUID()}${temporaryEnd}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, Buffer.concat([header, data]));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainSystemError(error, { path, bytes: headerBytes + data.length });
  }
}
