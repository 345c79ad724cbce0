import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { isImage } from '../../src-main/data/folder.ts';
import type { FoundImage } from '../../src-main/data/formats/format.ts';
import { listImages } from '../../src-main/data/list-images.ts';
import { placeIn } from '../../src-main/data/locator.ts';
import { readLocated } from '../../src-main/data/read-located.ts';
import { resolvePlace } from '../../src-main/data/unpacked.ts';
import { type Known, type Miniature, miniatures } from '../dataset-miniatures.ts';
import type { Files } from '../memory-tree.ts';
import { temporaryFolder, writeFiles } from './pictures.ts';
import { tarFile } from './tar-file.ts';
import { zipFile } from './zip-file.ts';

const all = miniatures((path) => Buffer.from(`the image ${path}`));
const members = (files: Files) =>
  Object.entries(files).map(([name, content]) => ({ name, data: Buffer.from(content as Uint8Array) }));

const packed: Record<NonNullable<Miniature['archive']>, (files: Files) => Buffer> = {
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

/** The names of an archive's files without the one folder that holds all its images; files of records are none. */
function withoutTop(images: Miniature['images'], files: Files): Record<string, Known> {
  const tops = new Set(Object.keys(files).map((path) => path.split('/')[0]));
  const isOne = tops.size === 1 && Object.keys(files).some(isImage);
  return Object.fromEntries(
    Object.entries(images).map(([path, known]) => [isOne ? path.slice(path.indexOf('/') + 1) : path, known]),
  );
}

test.each(
  all.filter(({ archive }) => archive).map((one) => ({ ...one, name: `${one.format}: ${one.what}` })),
)('$name, packed as it is published', async ({ format, files, images, archive }) => {
  const folder = join(temporaryFolder(), 'set');
  writeFiles(folder, { [`set.${archive}`]: packed[archive!](files) });
  const found = await listed(folder, `set.${archive}`);
  expect(found.format).toBe(format);
  expect(found.known).toEqual(withoutTop(images, files));
  writeFiles(join(folder, 'plain'), files as Record<string, Uint8Array | string>);
  const plain = await listed(join(folder, 'plain'), null);
  expect(plain.known).toEqual(images);
  expect([...found.bytes.values()].map(String).sort()).toEqual([...plain.bytes.values()].map(String).sort());
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
