import { createHash } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { ImageProblem } from './image.ts';
import type { Locator, Part, Place } from './locator.ts';
import { bitmapOfPlanes, planeBytes } from './planes.ts';

const maxImageBytes = 2 ** 30;
/** Images do not deflate well: what is larger once inflated is none. Several are read at a time. */
const maxInflatedBytes = 2 ** 27;
const inflating = promisify(inflateRaw);

/** The file that a place is in. */
export const fileOf = ({ folder, locator: { file } }: Place): string =>
  file === '' ? folder : join(folder, file);

/**
 * The bytes of an image file, wherever they are: whoever uses a sample gets them here. Planes come as a bitmap file. A crop is
 * not cut out yet: `openImage` takes it.
 * @throws ImageProblem for an empty, gigantic or special file, and where an archive ends early; system errors (ENOENT,
 * EACCES) pass through.
 */
export async function readLocated(place: Place): Promise<Buffer> {
  const bytes = await readBytes(place, isDeflated(place.locator.part) ? maxInflatedBytes : maxImageBytes);
  if (bytes.length === 0) throw new ImageProblem('empty', 'the file is empty (0 bytes)');
  return bytes;
}

const isDeflated = (part: Part | undefined): boolean => part?.kind === 'range' && part.deflated !== undefined;

/** What is at a place, of at most so many bytes. Errors: as `readLocated`, but that nothing is something. */
export async function readBytes(place: Place, most: number): Promise<Buffer> {
  const { part } = place.locator;
  if (part?.kind === 'row') {
    // Loaded here, not above: most data comes without Parquet files, and a service starts without them.
    const { readCell } = await import('./parquet-cell.ts');
    return readCell(fileOf(place), part);
  }
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
  const file = await open(fileOf(place), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new ImageProblem('unsupported', 'it is not a regular file');
    if (part) return await readPart(file, part, most);
    checkSize(facts.size, most);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** SHA-256 of what a locator gives, in hex: of the bytes, and of the crop where there is one. */
export function hashLocated(bytes: Uint8Array, { crop }: Locator): string {
  const hash = createHash('sha256').update(bytes);
  if (crop) hash.update(crop.join());
  return hash.digest('hex');
}

function checkSize(bytes: number, most: number): void {
  if (bytes > most)
    throw new ImageProblem(
      'huge',
      `the file has ${Math.round(bytes / 2 ** 20)} MiB (at most ${most / 2 ** 20})`,
    );
}

async function readPart(
  file: FileHandle,
  part: Exclude<Part, { kind: 'row' }>,
  most: number,
): Promise<Buffer> {
  switch (part.kind) {
    case 'range': {
      const size = part.deflated?.bytes ?? part.bytes;
      checkSize(Math.max(size, part.bytes), most);
      const bytes = await readRange(file, part.offset, part.bytes);
      return part.deflated ? inflate(bytes, size) : bytes;
    }
    case 'planes': {
      const { offset, width, height } = part;
      checkSize(planeBytes(width, height), most);
      return bitmapOfPlanes(await readRange(file, offset, planeBytes(width, height)), width, height);
    }
  }
}

async function readRange(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new ImageProblem('broken', 'its archive ends before it does: it is cut off');
    done += bytesRead;
  }
  return bytes;
}

/** What its archive says that a member has is all that it may have: a bomb says little. */
async function inflate(bytes: Buffer, size: number): Promise<Buffer> {
  const inflated = await inflating(bytes, { maxOutputLength: Math.max(size, 1) }).catch((error: Error) => {
    throw new ImageProblem('broken', `it cannot be inflated (${error.message})`, { cause: error });
  });
  if (inflated.length === size) return inflated;
  throw new ImageProblem('broken', `it has ${inflated.length} bytes, and its archive says ${size}`);
}
