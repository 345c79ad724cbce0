import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { decodeTo, openImage } from '../../src-main/data/decode.ts';
import { ImageProblem } from '../../src-main/data/image.ts';
import { placeOfFile } from '../../src-main/data/locator.ts';
import { readLocated } from '../../src-main/data/read-located.ts';
import { bitmap, jpeg, scene, temporaryFolder, writeFiles } from './pictures.ts';

/** Decodes at full size and returns the color at (x, y). */
async function colorAt(bytes: Buffer, x: number, y: number): Promise<number[]> {
  const image = await openImage(bytes);
  const { width, data } = await decodeTo(image, image.width, image.height, 'exact');
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

async function problemOf(bytes: Buffer): Promise<ImageProblem> {
  try {
    const image = await openImage(bytes);
    await decodeTo(image, 9, 8, 'whole');
  } catch (error) {
    if (error instanceof ImageProblem) return error;
    throw error;
  }
  throw new Error('the image was decoded');
}

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1);
const plain = (channels: 3 | 4, background: object) =>
  sharp({ create: { width: 8, height: 6, channels, background: background as never } });

test.each(['jpeg', 'png', 'webp', 'gif', 'tiff'] as const)('%s is decoded to RGB', async (format) => {
  const bytes = await plain(3, { r: 200, g: 100, b: 50 }).toFormat(format).toBuffer();
  const opened = await openImage(bytes);
  expect(opened).toMatchObject({ format, width: 8, height: 6 });
  const color = await colorAt(bytes, 3, 3);
  // JPEG's chroma is rounded.
  for (const [channel, value] of [200, 100, 50].entries())
    expect(Math.abs(color[channel] - value)).toBeLessThan(4);
});

test('a bitmap is decoded to RGB', async () => {
  const bytes = bitmap({ width: 1, height: 1, bits: 24, pixels: [50, 100, 200, 0] });
  expect(await colorAt(bytes, 0, 0)).toEqual([200, 100, 50]);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i is applied', async (orientation) => {
  const upright = scene(1, 40, 24);
  const { data, info } = await upright.raw().toBuffer({ resolveWithObject: true });
  // What a camera stores so that this orientation shows it upright: the inverse of the turn (sharp flops first, then rotates).
  const stored = {
    1: (image: Sharp) => image,
    2: (image: Sharp) => image.flop(),
    3: (image: Sharp) => image.rotate(180),
    4: (image: Sharp) => image.flip(),
    5: (image: Sharp) => image.rotate(270).flop(),
    6: (image: Sharp) => image.rotate(270),
    7: (image: Sharp) => image.rotate(90).flop(),
    8: (image: Sharp) => image.rotate(90),
  }[orientation]!(sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } }));
  const pixels = await stored.png().toBuffer();
  const bytes = await sharp(pixels).withMetadata({ orientation }).png().toBuffer();
  const image = await openImage(bytes);
  expect(image).toMatchObject({ width: 40, height: 24 });
  const decoded = await decodeTo(image, 40, 24, 'exact');
  expect(Buffer.from(decoded.data).equals(data)).toBe(true);
});

test('gray, 16-bit, CMYK and transparent images become 8-bit RGB, transparency white', async () => {
  const gray = await plain(3, { r: 90, g: 90, b: 90 }).toColourspace('b-w').png().toBuffer();
  expect((await sharp(gray).metadata()).channels).toBe(1);
  expect(await colorAt(gray, 2, 2)).toEqual([90, 90, 90]);

  const deep = await plain(3, { r: 200, g: 100, b: 50 }).toColourspace('rgb16').png().toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe('ushort');
  expect(await colorAt(deep, 2, 2)).toEqual([200, 100, 50]);

  const cmyk = await plain(3, { r: 255, g: 255, b: 255 }).toColourspace('cmyk').jpeg().toBuffer();
  expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
  for (const value of await colorAt(cmyk, 2, 2)) expect(value).toBeGreaterThan(250);

  const clear = await plain(4, { r: 0, g: 0, b: 0, alpha: 0 }).png().toBuffer();
  expect(await colorAt(clear, 2, 2)).toEqual([255, 255, 255]);
  const veil = await plain(4, { r: 0, g: 0, b: 0, alpha: 0.5 }).webp({ lossless: true }).toBuffer();
  expect((await colorAt(veil, 2, 2))[0]).toBeCloseTo(127, -1);
});

test('of an animation the first frame counts', async () => {
  const frames = Buffer.alloc(8 * 12 * 3);
  for (let pixel = 0; pixel < 8 * 12; pixel++) frames[pixel * 3 + (pixel < 48 ? 0 : 2)] = 255;
  const bytes = await sharp(frames, { raw: { width: 8, height: 12, channels: 3, pageHeight: 6 } })
    .gif()
    .toBuffer();
  expect((await sharp(bytes, { animated: true }).metadata()).pages).toBe(2);
  expect(await openImage(bytes)).toMatchObject({ width: 8, height: 6 });
  expect(await colorAt(bytes, 4, 3)).toEqual([255, 0, 0]);
});

test.each(['jpeg', 'png', 'webp', 'gif', 'tiff'] as const)('a %s cut in half is broken', async (format) => {
  const bytes = await scene(3, 400, 300).toFormat(format).toBuffer();
  expect(await problemOf(half(bytes))).toMatchObject({ kind: 'broken' });
  await expect(openImage(bytes)).resolves.toMatchObject({ format });
});

test('a progressive JPEG cut off near its end is broken', async () => {
  const bytes = await scene(3, 400, 300).jpeg({ progressive: true }).toBuffer();
  expect(await problemOf(bytes.subarray(0, bytes.length - 400))).toMatchObject({ kind: 'broken' });
});

test('a JPEG that ends early with an end mark is broken; one with stray bytes is not', async () => {
  const whole = await scene(3, 400, 300).jpeg().toBuffer();
  const ended = Buffer.concat([half(whole), Buffer.from([0xff, 0xd9]), Buffer.alloc(500)]);
  expect((await problemOf(ended)).message).toContain('premature end');
  const second = 4 + whole.readUInt16BE(4);
  const stray = Buffer.concat([whole.subarray(0, second), Buffer.from([1, 2, 3]), whole.subarray(second)]);
  expect(await colorAt(stray, 200, 150)).toEqual(await colorAt(whole, 200, 150));
});

test('a hole in a JPEG is found whatever the size it is decoded to', async () => {
  const whole = await scene(3, 800, 600).jpeg({ quality: 95 }).toBuffer();
  // A lost block of a disk: the zeros are codes like any other, and the data end early.
  const hole = Buffer.from(whole);
  hole.fill(0, hole.length >> 1, (hole.length >> 1) + 4096);
  expect((await problemOf(hole)).message).toContain('damaged or cut off');
  const image = await openImage(hole);
  await expect(decodeTo(image, 800, 600, 'exact')).rejects.toBeInstanceOf(ImageProblem);
});

test('a stereo picture of two JPEGs in one file (.MPO) is its first', async () => {
  const [left, right] = await Promise.all(
    [scene(1, 80, 60), scene(2, 80, 60)].map((one) => one.jpeg().toBuffer()),
  );
  expect(await colorAt(Buffer.concat([left, right]), 40, 30)).toEqual(await colorAt(left, 40, 30));
});

test.each([
  ['text', Buffer.from('these are no pixels\n'.repeat(9)), 'broken', 'text'],
  ['markup', Buffer.from('<!DOCTYPE html><p>404'), 'broken', 'HTML'],
  ['noise', Buffer.concat([Buffer.from([0, 1, 2]), randomBytes(500)]), 'broken', 'no image format'],
  ['two bytes', Buffer.from([0xff, 0xd8]), 'broken', 'no image format'],
  ['a JPEG of three bytes', Buffer.from([0xff, 0xd8, 0xff]), 'broken', 'header'],
  ['HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'unsupported', 'HEIC'],
  ['a PDF', Buffer.from('%PDF-1.7\n'), 'unsupported', 'PDF'],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'unsupported', 'SVG'],
  ['words that begin with BM', Buffer.from('BMW and other cars, a list of them'), 'broken', 'text'],
])('%s is refused with the reason', async (_, bytes, kind, reason) => {
  const problem = await problemOf(bytes);
  expect(problem.kind).toBe(kind);
  expect(problem.message).toContain(reason);
});

test('an image of 20,000 × 20,000 pixels is huge, and nothing of it is decoded', async () => {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.from([0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20, 1, 0, 0, 0, 0]);
  const rows = deflateSync(Buffer.alloc(20_000 * 2501), { level: 1 });
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  const png = Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  const from = performance.now();
  const problem = await problemOf(png);
  expect(problem).toMatchObject({ kind: 'huge' });
  expect(problem.message).toContain('20000 × 20000');
  // Decoding would take seconds; reading the header takes well under one.
  expect(performance.now() - from).toBeLessThan(1000);
  const bmp = bitmap({ width: 20_000, height: 20_000, bits: 24, pixels: [] });
  expect(await problemOf(bmp)).toMatchObject({ kind: 'huge' });
});

test('empty files and special files are told apart from images, without waiting for a pipe', async (ctx) => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'empty.jpg': '', 'good.jpg': await jpeg(1) });
  await expect(readLocated(placeOfFile(join(folder, 'empty.jpg')))).rejects.toMatchObject({ kind: 'empty' });
  await expect(readLocated(placeOfFile(join(folder, 'good.jpg')))).resolves.toHaveLength(
    (await jpeg(1)).length,
  );
  await expect(readLocated(placeOfFile(join(folder, 'none.jpg')))).rejects.toMatchObject({ code: 'ENOENT' });
  if (process.platform === 'win32') ctx.skip('named pipes are not files on Windows');
  execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
  await expect(readLocated(placeOfFile(join(folder, 'pipe.jpg')))).rejects.toMatchObject({
    kind: 'unsupported',
  });
});
