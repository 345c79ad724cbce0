import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { FoundImage } from '../../src-main/data/formats/format.ts';
import { listImages } from '../../src-main/data/list-images.ts';
import { placeIn } from '../../src-main/data/locator.ts';
import { readLocated } from '../../src-main/data/read-located.ts';
import { openTrees } from '../../src-main/data/trees/open-trees.ts';
import { resolvePlace } from '../../src-main/data/unpacked.ts';
import { type ArchiveKind, type Known, type Miniature, miniatures } from '../dataset-miniatures.ts';
import type { Files } from '../memory-tree.ts';
import { temporaryFolder, writeFiles } from './pictures.ts';
import { tarFile } from './tar-file.ts';
import { zipFile } from './zip-file.ts';

const all: Miniature[] = miniatures((path) => Buffer.from(`the image ${path}`));
const members = (files: Files) =>
  Object.entries(files).map(([name, content]) => ({ name, data: Buffer.from(content as Uint8Array) }));

const packed: Record<ArchiveKind, (files: Files) => Buffer> = {
  tar: (files) => tarFile(members(files)),
  tgz: (files) => gzipSync(tarFile(members(files))),
  zip: (files) =>
    zipFile(
      members(files).map(({ name, data }) => ({
        name,
        data: deflateRawSync(data),
        size: data.length,
        method: 8,
      })),
    ),
};

/** What an import lists, and the bytes of each image. */
async function listed(folder: string, file: string | null) {
  const unpacked = join(folder, '..', 'unpacked');
  const images: FoundImage[] = [];
  const { format } = await listImages({ folder, file }, {}, unpacked, (some) => images.push(...some));
  const known = Object.fromEntries(
    images.map(({ path, className, split }): [string, Known] => [path, [className, split]]),
  );
  const bytes = new Map<string, Buffer>();
  for (const image of images)
    bytes.set(image.path, await readLocated(resolvePlace(placeIn(folder, image), unpacked)));
  return { format: format.name, known, bytes };
}

/** The names of an archive's files without the one folder that everything lies in, where that holds folders. */
function withoutTop(images: Miniature['images'], files: Files): Record<string, Known> {
  const tops = new Set(Object.keys(files).map((path) => path.split('/')[0]));
  const isOne = tops.size === 1 && Object.keys(files).some((path) => path.split('/').length > 2);
  return Object.fromEntries(
    Object.entries(images).map(([path, known]) => [isOne ? path.slice(path.indexOf('/') + 1) : path, known]),
  );
}

const contents = ({ bytes }: { bytes: ReadonlyMap<string, Buffer> }) =>
  Array.from(bytes.values(), (one) => one.toString('latin1')).sort();

test.each(all.map((one) => ({ ...one, name: `${one.format}: ${one.what}` })))(
  '$name, unpacked, in one archive, and as it is published',
  async ({ format, files, images, archive = 'zip' }) => {
    const folder = join(temporaryFolder(), 'set');
    const plainly = join(folder, 'plain');
    writeFiles(plainly, files);
    const plain = await listed(plainly, null);
    expect(plain).toMatchObject({ format, known: images });

    for (const kind of typeof archive === 'string' ? new Set([archive, 'zip' as const]) : ['zip' as const]) {
      writeFiles(folder, { [`set.${kind}`]: packed[kind](files) });
      const found = await listed(folder, `set.${kind}`);
      expect(found, kind).toMatchObject({ format, known: withoutTop(images, files) });
      expect(contents(found)).toEqual(contents(plain));
    }

    if (typeof archive === 'string') return;
    const beside = new Map(Object.entries(files));
    const published = join(folder, 'published');
    for (const [name, held] of Object.entries(archive)) {
      const inside = [...beside].filter(([path]) => held.some((start) => path.startsWith(start)));
      for (const [path] of inside) beside.delete(path);
      writeFiles(published, { [name]: packed[kindOf(name)](Object.fromEntries(inside)) });
    }
    writeFiles(published, Object.fromEntries(beside));
    expect(await listed(published, null)).toEqual(plain);
  },
);

const kindOf = (name: string): ArchiveKind => {
  if (name.endsWith('.zip')) return 'zip';
  return name.endsWith('.tar') ? 'tar' : 'tgz';
};

test('Caltech-101 as its zip holds it, with an archive of the images inside', async () => {
  const { files, images } = all.find(({ format }) => format === 'caltech-101')!;
  const folder = join(temporaryFolder(), 'set');
  const inside = {
    'caltech-101/101_ObjectCategories.tar.gz': packed.tgz(files),
    'caltech-101/Annotations.tar': packed.tar({ 'Annotations/okapi/annotation_0001.mat': 'x' }),
    'caltech-101/show_annotation.m': 'x',
    '__MACOSX/caltech-101/._show_annotation.m': 'x',
  };
  writeFiles(folder, { 'caltech-101.zip': packed.zip(inside) });
  const known = Object.fromEntries(
    Object.entries(images).map(([path, known]) => [`caltech-101/${path}`, known]),
  );
  expect(await listed(folder, 'caltech-101.zip')).toMatchObject({ format: 'caltech-101', known });
});

test('an archive is opened once, whether what it holds is put in its folder or in its place', async () => {
  const folder = temporaryFolder();
  const inner = tarFile(members({ 'cat/1.jpg': Buffer.from('a cat') }));
  writeFiles(folder, { 'a.tar': tarFile(members({ 'in.tar': inner, 'dog/2.jpg': Buffer.from('a dog') })) });
  const trees = await openTrees(folder, null, { unpackedFolder: folder, everyArchive: true });
  const inPlace = await trees.inPlace();
  expect([...trees.inFolders.files.keys()]).toEqual(['a/dog/2.jpg', 'a/in/cat/1.jpg']);
  expect([...inPlace.files.keys()]).toEqual(['cat/1.jpg', 'dog/2.jpg']);
  expect(inPlace.files.get('cat/1.jpg')).toBe(trees.inFolders.files.get('a/in/cat/1.jpg'));
  expect(inPlace.files.get('dog/2.jpg')).toBe(trees.inFolders.files.get('a/dog/2.jpg'));
});

test('shards of a WebDataset are read where they are', async () => {
  const { files, images } = all.find(({ what }) => what.startsWith('shards'))!;
  const folder = join(temporaryFolder(), 'set');
  const shards = Map.groupBy(Object.keys(files), (path) => (path.includes('/') ? path.split('/')[0] : ''));
  writeFiles(folder, {});
  for (const [shard, paths] of shards) {
    if (shard === '') writeFiles(folder, Object.fromEntries(paths.map((path) => [path, files[path]])));
    else
      writeFileSync(
        join(folder, `${shard}.tar`),
        tarFile(
          members(Object.fromEntries(paths.map((path) => [path.slice(shard.length + 1), files[path]]))),
        ),
      );
  }
  const found = await listed(folder, null);
  expect(found.format).toBe('webdataset');
  expect(found.known).toEqual(images);
  expect(found.bytes.get('train-000000/0001.jpg')!.toString()).toBe('the image train-000000/0001');
});
