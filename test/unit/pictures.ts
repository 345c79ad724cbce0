/** Pictures drawn for tests, in the formats that the product reads. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { onTestFinished } from 'vitest';
import { permutation, randomOf } from '../../src-main/data/random.ts';

/** An empty folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cotune-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Writes files below a folder, making the folders between. */
export function writeFiles(folder: string, files: Record<string, Uint8Array | string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** A scene of its own for every seed: smooth blobs of color, so that two seeds never look alike. */
export function scene(seed: number, width = 96, height = 72): Sharp {
  const random = randomOf(seed, 'picture');
  const cells = permutation(48, random).map((rank) => 20 + rank * 4);
  const raw = Buffer.alloc(8 * 6 * 3);
  for (let cell = 0; cell < 48; cell++) {
    raw[cell * 3] = cells[cell];
    raw[cell * 3 + 1] = (cells[cell] + 60 * random()) % 256;
    raw[cell * 3 + 2] = 255 - cells[cell];
  }
  const small = sharp(raw, { raw: { width: 8, height: 6, channels: 3 } });
  return small.resize(width, height, { fit: 'fill', kernel: 'cubic' });
}

export const jpeg = (seed: number, width?: number, height?: number): Promise<Buffer> =>
  scene(seed, width, height).jpeg({ quality: 92 }).toBuffer();

/** `count` JPEGs `<folder>/<n>.jpg` as files for `writeFiles`; seeds count up from `firstSeed`. */
export async function classOf(
  folder: string,
  count: number,
  firstSeed: number,
): Promise<Record<string, Uint8Array>> {
  const files = Array.from({ length: count }, async (_, index) => {
    const content = await jpeg(firstSeed + index);
    return [`${folder}/${index}.jpg`, content] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

/** An uncompressed bitmap from its header fields and pixel bytes. */
export function bitmap(o: {
  width: number;
  height: number;
  bits: number;
  compression?: number;
  palette?: number[];
  masks?: number[];
  pixels: number[];
  gap?: number;
}): Buffer {
  const { width, height, bits, compression = 0, palette = [], masks = [], pixels, gap = 0 } = o;
  const offset = 54 + masks.length * 4 + palette.length + gap;
  const bytes = Buffer.alloc(offset + pixels.length);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(offset, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(bits, 28);
  bytes.writeUInt32LE(compression, 30);
  bytes.writeUInt32LE(palette.length / 4, 46);
  masks.forEach((mask, index) => {
    bytes.writeUInt32LE(mask >>> 0, 54 + 4 * index);
  });
  bytes.set(palette, 54 + masks.length * 4);
  bytes.set(pixels, offset);
  return bytes;
}
