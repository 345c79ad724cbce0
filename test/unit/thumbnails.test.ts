import { createHash } from 'node:crypto';
import { globSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { stampOf } from '../../src-main/data/file-stamp.ts';
import { placeOfFile } from '../../src-main/data/locator.ts';
import { readings } from '../../src-main/reader/readings/index.ts';
import { readPicture as readWith } from '../../src-main/service/pictures.ts';
import type { Reader } from '../../src-main/service/reader.ts';
import { bitmap, scene, temporaryFolder } from './pictures.ts';

const hash = 'ab'.repeat(32);
/** A reader that reads in this very process. */
const reader: Pick<Reader, 'read'> = {
  read: (kind, input) => readings[kind](input as never, () => {}) as never,
};
const readPicture = (
  { path, ...source }: Pick<Parameters<typeof readWith>[0], 'hash' | 'stamp'> & { path: string },
  size: 'thumb' | 'full',
  folder: string,
) => readWith({ folder, file: path, place: placeOfFile(path), ...source }, size, folder, reader);
/** A picture of an import that knows no stamps. */
const pictureOf = (path: string, of: string, size: 'thumb' | 'full', folder: string) =>
  readPicture({ path, hash: of, stamp: null }, size, folder);
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** Long enough for a change to bear another time. */
const settle = () => new Promise((wake) => setTimeout(wake, 80));

test('a thumbnail is at most 256 px, upright, never enlarged, and cached by content', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'wide.jpg');
  writeFileSync(path, await scene(1, 900, 300).withMetadata({ orientation: 6 }).jpeg().toBuffer());
  const { data, contentType } = await pictureOf(path, hash, 'thumb', folder);
  expect(contentType).toBe('image/webp');
  expect(await sharp(data).metadata()).toMatchObject({ width: 85, height: 256, format: 'webp' });
  const imported = hashOf(readFileSync(path));
  rmSync(path);
  expect((await pictureOf(path, imported, 'thumb', folder)).data).toEqual(data);

  const small = join(folder, 'small.png');
  writeFileSync(small, await scene(2, 20, 10).png().toBuffer());
  const thumb = await pictureOf(small, 'cd'.repeat(32), 'thumb', folder);
  expect(await sharp(thumb.data).metadata()).toMatchObject({ width: 20, height: 10 });
});

test('a thumbnail that a crash left cut off is made again', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'a.png');
  writeFileSync(path, await scene(1, 300, 300).png().toBuffer());
  const { data } = await pictureOf(path, hash, 'thumb', folder);
  const [cached] = globSync('thumbnails/*/*', { cwd: folder });
  truncateSync(join(folder, cached), 40);
  expect((await pictureOf(path, hash, 'thumb', folder)).data).toEqual(data);
  expect(readFileSync(join(folder, cached)).subarray(-data.length)).toEqual(data);
});

test.each(['jpeg', 'png', 'webp', 'gif'] as const)('a %s is shown as it is', async (format) => {
  const folder = temporaryFolder();
  const path = join(folder, 'picture.bin');
  const bytes = await scene(1).toFormat(format).toBuffer();
  writeFileSync(path, bytes);
  const picture = await pictureOf(path, hash, 'full', folder);
  expect(picture).toEqual({ data: bytes, contentType: `image/${format}` });
});

test('what browsers do not show is converted, a large picture to JPEG', async () => {
  const folder = temporaryFolder();
  const pictures = {
    'a.tiff': await scene(1).tiff().toBuffer(),
    'b.bmp': bitmap({ width: 1, height: 1, bits: 24, pixels: [0, 0, 255, 0] }),
    'c.tiff': await scene(1, 2400, 1800).tiff({ compression: 'lzw' }).toBuffer(),
  };
  for (const [name, bytes] of Object.entries(pictures)) writeFileSync(join(folder, name), bytes);
  const types = Object.keys(pictures).map(
    async (name) => (await pictureOf(join(folder, name), hash, 'full', folder)).contentType,
  );
  expect(await Promise.all(types)).toEqual(['image/png', 'image/png', 'image/jpeg']);
  const { data } = await pictureOf(join(folder, 'b.bmp'), hash, 'full', folder);
  expect([...(await sharp(data).raw().toBuffer())]).toEqual([255, 0, 0]);
});

test('a picture that is gone, or that was replaced by something else, is refused with its path', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'x.jpg');
  await expect(pictureOf(path, hash, 'thumb', folder)).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining(path),
  });
  writeFileSync(path, '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  await expect(pictureOf(path, hash, 'full', folder)).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining('SVG'),
  });
});

test('a thumbnail is of what the file shows now: a changed file shows its own, and put back the old one again', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'a.png');
  const [before, after] = await Promise.all([1, 2].map((seed) => scene(seed, 300, 300).png().toBuffer()));
  writeFileSync(path, before);
  await settle();
  const source = { path, hash: hashOf(before), stamp: await stampOf(path) };
  const first = await readPicture(source, 'thumb', folder);
  writeFileSync(path, after);
  const changed = await readPicture(source, 'thumb', folder);
  expect(changed.data).not.toEqual(first.data);
  await settle();
  expect((await readPicture(source, 'thumb', folder)).data).toEqual(changed.data);
  writeFileSync(path, before);
  expect((await readPicture(source, 'thumb', folder)).data).toEqual(first.data);
  rmSync(path);
  const ofImport = (hash: string) => readPicture({ path, hash, stamp: null }, 'thumb', folder);
  expect((await ofImport(hashOf(before))).data).toEqual(first.data);
  expect((await ofImport(hashOf(after))).data).toEqual(changed.data);
});
