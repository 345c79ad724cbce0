import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { previewText } from '../../src-main/cli/preview-text.ts';
import type { FoundImage } from '../../src-main/data/formats/format.ts';
import { importImages } from '../../src-main/data/import-images.ts';
import { listImages } from '../../src-main/data/list-images.ts';
import { previewDataset } from '../../src-main/data/preview.ts';
import { fileOf } from '../../src-main/data/read-located.ts';
import type { ImportChoice } from '../../src-shared/contract.ts';
import { csvLine } from '../../src-shared/csv.ts';
import { sharedPath } from '../shared-folder.ts';
import { temporaryFolder, writeFiles } from './pictures.ts';

/** What a dataset's hash follows from, without decoding a picture. */
const facts = async (place: Parameters<typeof fileOf>[0]) => {
  const bytes = readFileSync(fileOf(place));
  const hash = createHash('sha256').update(bytes).digest('hex');
  return {
    facts: { width: 1, height: 1, bytes: bytes.length, hash, perceptualHash: hash.slice(0, 16), stamp: null },
    look: new Uint8Array(1024),
    reading: null,
  };
};

/** Nothing here is packed. */
const unpacked = '/nowhere';

const preview = (folder: string, choice: ImportChoice) =>
  previewDataset({ folder, file: null }, choice, unpacked, () => {});

async function imported(folder: string, file: string | null, choice: ImportChoice) {
  const found: FoundImage[] = [];
  const listing = await listImages({ folder, file }, choice, unpacked, (images) => found.push(...images));
  return importImages(folder, { found, listing, readFacts: facts as never, seed: 0 });
}

/** Imports what lies in a folder as folders, as a table and as lists of it that are written beside. */
async function threeWays(folder: string) {
  const found: { path: string; className: string; split: string | null }[] = [];
  await listImages({ folder, file: null }, { format: 'folders' }, unpacked, (images) =>
    found.push(...images),
  );
  const classes = [...new Set(found.map(({ className }) => className))].sort();
  const rows = found.map(({ path, className, split }) => csvLine([path, className, split!]));
  writeFileSync(join(folder, 'table.csv'), ['file,species,split\n', ...rows].join(''));
  for (const split of ['train', 'test'])
    writeFileSync(
      join(folder, `${split}.txt`),
      found
        .filter((image) => image.split === split)
        .map(({ path, className }) => `${path} ${classes.indexOf(className)}\n`)
        .join(''),
    );
  return {
    folders: await imported(folder, null, { format: 'folders' }),
    table: await imported(folder, 'table.csv', {}),
    lists: await imported(folder, null, { format: 'lists' }),
  };
}

test('the same images from folders, a table and lists are the same dataset', async () => {
  const folder = temporaryFolder();
  const names = ['001.Black footed', '002.Laysan, the', '010.Été'].flatMap((name) =>
    ['train', 'test'].flatMap((split) => [0, 1, 2].map((index) => `${split}/${name}/a ${index}.jpg`)),
  );
  writeFiles(folder, Object.fromEntries(names.map((name) => [name, name])));
  const { folders, table, lists } = await threeWays(folder);
  expect(folders.samples).toHaveLength(18);
  expect([table.format.name, lists.format.name]).toEqual(['tables', 'lists']);
  expect(table.hash).toBe(folders.hash);
  expect(lists.hash).toBe(folders.hash);
});

test('so are the 4,993 birds', async (ctx) => {
  const birds = sharedPath('datasets/cub100');
  if (!birds) ctx.skip('the birds are not here');
  const folder = temporaryFolder();
  cpSync(birds!, folder, { recursive: true });
  const { folders, table, lists } = await threeWays(folder);
  expect(folders.samples.length).toBeGreaterThan(4900);
  expect(table.hash).toBe(folders.hash);
  expect(lists.hash).toBe(folders.hash);
});

test('a preview shows the first 20 rows of a table with what its columns are taken for, and what a person says instead', async () => {
  const folder = temporaryFolder();
  const rows = Array.from(
    { length: 30 },
    (_, index) => `${index}.png,${index % 2 ? 'cat' : 'dog'},p${index % 3},tabby\n`,
  );
  writeFiles(folder, {
    'labels.csv': `image,animal_class,patient,coat\n${rows.join('')}`,
    ...Object.fromEntries(Array.from({ length: 29 }, (_, index) => [`pictures/${index}.png`, `${index}`])),
  });
  const shown = await preview(folder, {});
  expect(shown.format.name).toBe('tables');
  expect(shown.table).toMatchObject({
    path: 'labels.csv',
    columns: ['image', 'animal_class', 'patient', 'coat'],
    taken: { file: 'image', label: 'animal_class', group: 'patient' },
    found: 29 / 30,
  });
  expect(shown.table!.rows).toHaveLength(20);
  expect(previewText(shown)).toMatch(
    /labels.csv: of the first files 97 % are there.*\n.*\n\nimage +animal_class +patient +coat\n─.*\nfile +label +group\n0.png +dog +p0 +tabby/,
  );
  const said = await preview(folder, { columns: { label: 'coat' } });
  expect(said.table!.taken.label).toBe('coat');
  const without = await preview(folder, { columns: { group: '' } });
  expect(without.table!.taken.group).toBeUndefined();
  await expect(preview(folder, { columns: { label: 'fur' } })).rejects.toThrow('has no column fur');
});

test('of another dataset a preview shows the first images', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'train/cat/1.jpg': '1', 'train/dog/2.jpg': '2', 'test/cat/3.jpg': '3' });
  const shown = await preview(folder, {});
  expect(shown).toMatchObject({ format: { name: 'folders' }, table: null });
  expect(shown.images.map(({ className, split }) => [className, split])).toContainEqual(['dog', 'train']);
  expect(previewText(shown)).toContain('train/dog/2.jpg');
});
