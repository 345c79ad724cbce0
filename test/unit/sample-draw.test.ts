import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawImageFolder, drawPicture, pictureSide, sketch } from '../../src-main/sample/draw.ts';
import { kinship, sourceSpecies, targetSpecies } from '../../src-main/sample/species.ts';

const everyone = [...sourceSpecies, ...targetSpecies];

describe('the species of the sample', () => {
  test('are at least 40 source and 10 target categories with names of their own', () => {
    expect(sourceSpecies.length).toBeGreaterThanOrEqual(40);
    expect(targetSpecies.length).toBeGreaterThanOrEqual(10);
    expect(new Set(everyone.map((species) => species.name)).size).toBe(everyone.length);
  });

  test('every target has kin that share its form and kin that share its coat, none of them both', () => {
    for (const target of targetSpecies) {
      const { form, coat } = kinship[target.name];
      expect(form.length, `${target.name}: form`).toBeGreaterThan(0);
      expect(coat.length, `${target.name}: coat`).toBeGreaterThan(0);
      expect(form.filter((name) => coat.includes(name))).toEqual([]);
      for (const name of form) expect(name.split(' ')[1]).toBe(target.form);
      for (const name of coat) expect(name.split(' ')[0]).toBe(target.coat);
    }
  });

  test('no coat and no form of an animal names one source category alone', () => {
    for (const source of sourceSpecies.filter(({ family }) =>
      ['butterflies', 'fish', 'beetles'].includes(family),
    )) {
      const sharing = (trait: 'form' | 'coat') =>
        sourceSpecies.filter((other) => other[trait] === source[trait]);
      expect(sharing('form').length, source.name).toBeGreaterThan(1);
      expect(sharing('coat').length, source.name).toBeGreaterThan(1);
    }
  });
});

describe('a picture', () => {
  test('is the same for the same seed, on any day', async () => {
    const [first, again] = await Promise.all([1, 2].map(() => drawPicture(targetSpecies[0], 5, 'train', 3)));
    expect(again.equals(first)).toBe(true);
  });

  test('differs with seed, split and index', async () => {
    const pictures = await Promise.all([
      drawPicture(targetSpecies[0], 5, 'train', 3),
      drawPicture(targetSpecies[0], 6, 'train', 3),
      drawPicture(targetSpecies[0], 5, 'test', 3),
      drawPicture(targetSpecies[0], 5, 'train', 4),
    ]);
    expect(new Set(pictures.map((picture) => picture.toString('base64'))).size).toBe(4);
  });

  // The bundled network learned from these very drawings: whoever changes them must pre-train anew.
  test('is the drawing that the bundled network was pre-trained on', () => {
    const digest = createHash('sha256');
    for (const species of everyone) for (let i = 0; i < 3; i++) digest.update(sketch(species, 1, 'train', i));
    expect(digest.digest('hex')).toMatchInlineSnapshot(
      `"e3a8bc2231cb1cbb29ded3be87d39fb1ef9263d44c908a12b1a5de786b3ec5dd"`,
    );
  });

  test.each(everyone)('of $name is a square JPEG that shows something', async (species) => {
    const picture = sharp(await drawPicture(species, 1, 'train', 0));
    const [metadata, stats] = [await picture.metadata(), await picture.stats()];
    expect(metadata).toMatchObject({ format: 'jpeg', width: pictureSide, height: pictureSide, channels: 3 });
    expect(Math.max(...stats.channels.map((channel) => channel.stdev))).toBeGreaterThan(8);
  });
});

describe('an image folder', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cotune-sample-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('holds split and class folders with the asked counts, and reports progress to the end', async () => {
    const heard: number[] = [];
    const species = targetSpecies.slice(0, 2);
    await drawImageFolder(folder, { species, seed: 1, counts: { train: 3, test: 2 } }, (done, total) => {
      expect(total).toBe(10);
      heard.push(done);
    });
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await readdir(folder)).sort()).toEqual(['test', 'train']);
    for (const { name } of species) {
      expect((await readdir(join(folder, 'train', name))).sort()).toEqual(['000.jpg', '001.jpg', '002.jpg']);
      expect((await readdir(join(folder, 'test', name))).sort()).toEqual(['000.jpg', '001.jpg']);
    }
  });
});
