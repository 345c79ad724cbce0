import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { openImage } from '../../src-main/data/decode.ts';
import { lookOf } from '../../src-main/data/look-of.ts';
import { nearCandidates } from '../../src-main/data/near-pairs.ts';
import { differenceHash, looksSame } from '../../src-main/data/perceptual-hash.ts';
import { permutation, randomOf } from '../../src-main/data/random.ts';
import { importFolder } from './import-in-process.ts';
import { classOf, jpeg, scene, temporaryFolder, writeFiles } from './pictures.ts';

const look = async (bytes: Buffer) => lookOf(await openImage(bytes));

function randomHashes(count: number): bigint[] {
  const random = randomOf(5, 'bits');
  const word = () => BigInt(Math.floor(random() * 2 ** 32));
  return Array.from({ length: count }, () => (word() << 32n) | word());
}
const text = (hash: bigint) => hash.toString(16).padStart(16, '0');

test('near candidates are exactly the earlier hashes at most 6 bits away', () => {
  const random = randomOf(6, 'bits');
  const centers = randomHashes(60);
  const hashes = centers.flatMap((center) =>
    [0, 3, 5, 6, 7, 9].map((flips) =>
      [...permutation(64, random).subarray(0, flips)].reduce(
        (hash, bit) => hash ^ (1n << BigInt(bit)),
        center,
      ),
    ),
  );
  const distance = (a: bigint, b: bigint) => [...(a ^ b).toString(2)].filter((bit) => bit === '1').length;
  const found = nearCandidates(hashes.map(text));
  hashes.forEach((hash, index) => {
    const expected = hashes
      .slice(0, index)
      .flatMap((other, at) => (distance(hash, other) <= 6 ? [{ at, apart: distance(hash, other) }] : []))
      .sort((a, b) => a.apart - b.apart || a.at - b.at);
    expect(found[index]).toEqual(expected.map(({ at }) => at).slice(0, 8));
  });
});

test('20,000 images are compared in seconds, different or all alike', () => {
  const different = randomHashes(20_000).map(text);
  expect(nearCandidates(different).filter((others) => others.length > 0).length).toBeLessThan(5);
  const alike = different.map((hash, index) =>
    index % 2 ? '0000000000000000' : `000000000000${hash.slice(12)}`,
  );
  expect(nearCandidates(alike)[19_999]).toHaveLength(8);
});

test('one picture in another size, format, compression, brightness or with a mark is a near-duplicate', async () => {
  const original = await jpeg(1, 400, 300);
  const mark = Buffer.from(
    '<svg width="400" height="300"><text x="90" y="160" font-size="40" fill="white">© x</text></svg>',
  );
  const variants = await Promise.all([
    scene(1, 400, 300).resize(120, 90).jpeg({ quality: 40 }).toBuffer(),
    scene(1, 400, 300).png().toBuffer(),
    scene(1, 400, 300).linear(0.8, 10).webp().toBuffer(),
    scene(1, 400, 300)
      .composite([{ input: mark }])
      .jpeg()
      .toBuffer(),
  ]);
  const looks = await Promise.all([original, ...variants].map(look));
  const candidates = nearCandidates(looks.map(differenceHash));
  for (const index of [1, 2, 3, 4]) {
    expect(candidates[index]).toContain(0);
    expect(looksSame(looks[0], looks[index])).toBe(true);
  }
});

test('different scenes, and plain areas of different brightness, are no near-duplicates', async () => {
  const looks = await Promise.all(Array.from({ length: 60 }, async (_, seed) => look(await jpeg(seed))));
  expect(nearCandidates(looks.map(differenceHash)).flat()).toEqual([]);
  const plain = [10, 11, 200].map((value) => new Uint8Array(36 * 32).fill(value));
  expect(looksSame(plain[0], plain[1])).toBe(true);
  expect(looksSame(plain[0], plain[2])).toBe(false);
  expect(looksSame(plain[0], looks[0])).toBe(false);
});

test('different drawings on one plain ground are no near-duplicates; a recompressed one is', async () => {
  const drawing = (shape: string) =>
    sharp(
      Buffer.from(`<svg width="64" height="64"><rect width="64" height="64" fill="white"/>${shape}</svg>`),
    );
  const ring = '<circle cx="32" cy="32" r="14" fill="none" stroke="black" stroke-width="5"/>';
  const eight = `${ring}<path d="M24 32 H40" stroke="black" stroke-width="5"/>`;
  const looks = await Promise.all(
    [drawing(ring).png(), drawing(eight).png(), drawing(ring).jpeg({ quality: 50 })].map(async (image) =>
      look(await image.toBuffer()),
    ),
  );
  expect(looksSame(looks[0], looks[1])).toBe(false);
  expect(looksSame(looks[0], looks[2])).toBe(true);
});

test('the difference hash sets a bit where the luminance grows to the right', () => {
  const rising = Uint8Array.from({ length: 36 * 32 }, (_, pixel) => pixel % 36);
  expect(differenceHash(rising)).toBe('ffffffffffffffff');
  expect(differenceHash(rising.map((value) => 255 - value))).toBe('0000000000000000');
});

test('duplicates across splits and classes are said, the test image first', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    ...(await classOf('train/a', 3, 0)),
    ...(await classOf('train/b', 3, 10)),
    'test/a/same.jpg': await jpeg(0),
    'test/a/near.png': await scene(1).resize(60, 45).png().toBuffer(),
    'test/b/other-class.jpg': await jpeg(2),
    'test/b/fine.jpg': await jpeg(20),
  });
  const { issues, notes } = await importFolder(folder, { seed: 0 });
  expect(issues).toEqual([
    {
      kind: 'near-duplicate',
      path: 'test/a/near.png',
      other: 'train/a/1.jpg',
      detail: 'shows the same picture as train/a/1.jpg, across splits: train and test',
    },
    {
      kind: 'exact-duplicate',
      path: 'test/a/same.jpg',
      other: 'train/a/0.jpg',
      detail: 'the same file as train/a/0.jpg, across splits: train and test',
    },
    {
      kind: 'exact-duplicate',
      path: 'test/b/other-class.jpg',
      other: 'train/a/2.jpg',
      detail: 'the same file as train/a/2.jpg, across splits: train and test, under another class',
    },
  ]);
  expect(notes.join('\n')).toContain('3 test images also in the training or validation images');
  expect(notes.join('\n')).toContain('1 duplicate of an image of another class');
});

test('monkey species: copies within train and pictures shared with test are found', async (ctx) => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const folder = ['../shared', '../../shared']
    .map((shared) => join(root, shared, 'datasets/monkey-species'))
    .find(existsSync);
  if (!folder) return ctx.skip('the monkey-species photographs are not on this machine');
  const { classes, samples, issues } = await importFolder(folder, { seed: 0 });
  expect(classes).toHaveLength(10);
  expect(samples).toHaveLength(1369);
  const inTrain = (path = '') => path.startsWith('train/');
  const exact = issues.filter(({ kind }) => kind === 'exact-duplicate');
  // sha256sum says so too: 127 files of train/ share 63 contents.
  expect(exact.filter(({ path, other }) => inTrain(path) && inTrain(other))).toHaveLength(64);
  const near = issues.filter(({ kind }) => kind === 'near-duplicate');
  const leaked = near.filter(({ path, other }) => !inTrain(path) && inTrain(other));
  // Every one of them was looked at: the same photograph, resized, cropped by a few pixels or marked.
  expect(leaked).toHaveLength(55);
  for (const { detail } of leaked) expect(detail).toContain('across splits: train and test');
  const classOfPath = (path = '') => path.split('/')[1];
  expect(near.filter(({ path, other }) => classOfPath(path) !== classOfPath(other))).toEqual([]);
});
