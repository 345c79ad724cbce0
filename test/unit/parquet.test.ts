import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import type { FormatOptions, FoundImage } from '../../src-main/data/formats/format.ts';
import { parquet } from '../../src-main/data/formats/parquet.ts';
import { listImages } from '../../src-main/data/list-images.ts';
import { readLocated } from '../../src-main/data/read-located.ts';
import { openTrees } from '../../src-main/data/trees/open-trees.ts';
import { resolvePlace } from '../../src-main/data/unpacked.ts';
import { DamagedFile } from '../../src-main/formats/file-bytes.ts';
import type { Bytes } from '../../src-main/formats/parquet/pages.ts';
import { ParquetFile } from '../../src-main/formats/parquet/parquet-file.ts';
import { jpeg, temporaryFolder, writeFiles } from './pictures.ts';
import { tarFile } from './tar-file.ts';
import { zipFile } from './zip-file.ts';

const optional = { repetition_type: 'OPTIONAL' } as const;

/** A shard as Hugging Face writes them: `image` is a struct of bytes and path, `label` an integer. */
function shard(images: Uint8Array[], labels: (bigint | null)[], names?: string[], rowsInGroup = 2): Buffer {
  const features = {
    image: { _type: 'Image' },
    label: names ? { names, _type: 'ClassLabel' } : { dtype: 'int64' },
  };
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'image', data: images.map((image, index) => ({ bytes: image, path: `${index}.jpg` })) },
      { name: 'label', data: labels },
    ],
    schema: [
      { name: 'schema', num_children: 2 },
      { name: 'image', num_children: 2, ...optional },
      { name: 'bytes', type: 'BYTE_ARRAY', ...optional },
      { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', ...optional },
      { name: 'label', type: 'INT64', ...optional },
    ],
    kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }],
    rowGroupSize: rowsInGroup,
  });
  return Buffer.from(bytes);
}

const inMemory = (content: Uint8Array): Bytes => ({
  size: content.length,
  read(offset, length) {
    if (offset < 0 || length < 0 || offset + length > content.length) throw new DamagedFile('it is cut off');
    return new Uint8Array(content.slice(offset, offset + length));
  },
});

test('shards hold images in a column, classes by the names in their metadata, splits by their names', async () => {
  const folder = temporaryFolder();
  const pictures = await Promise.all([0, 1, 2, 3, 4].map((seed) => jpeg(seed, 16, 12)));
  writeFiles(folder, {
    'README.md': 'x',
    'data/train-00000-of-00002.parquet': shard(pictures.slice(0, 3), [1n, 0n, 1n], ['cat', 'dog']),
    'data/train-00001-of-00002.parquet': shard([pictures[3]], [null], ['cat', 'dog']),
    'data/test-00000-of-00001.parquet': shard([pictures[4]], [0n], ['cat', 'dog']),
  });
  const { inFolders: tree } = await openTrees(folder, null, { unpackedFolder: folder, everyArchive: false });
  expect(await parquet.detect(tree)).toMatchObject({ confidence: 0.85 });
  const notes: string[] = [];
  const known: [string, string, string | null][] = [];
  const bytes: Buffer[] = [];
  const options: FormatOptions = {
    tell: (note) => void notes.push(note),
    issue: () => {},
    unlabelled: () => {},
    classes: (names) => expect(names).toEqual(['cat', 'dog']),
    layout: { splits: 'names' },
    columns: {},
    values: { label: '' },
  };
  for await (const { path, className, split, locator } of parquet.read(tree, options)) {
    known.push([path, className, split]);
    bytes.push(await readLocated({ folder, locator: locator! }));
  }
  expect(known).toEqual([
    ['data/test-00000-of-00001.parquet/000000', 'cat', 'test'],
    ['data/train-00000-of-00002.parquet/000000', 'dog', 'train'],
    ['data/train-00000-of-00002.parquet/000001', 'cat', 'train'],
    ['data/train-00000-of-00002.parquet/000002', 'dog', 'train'],
  ]);
  expect(bytes).toEqual([pictures[4], pictures[0], pictures[1], pictures[2]]);
  expect(notes).toEqual(['1 row has no label and was left out.']);
});

test('shards inside archives are read in the middle where they are stored, unpacked once where they are deflated', async () => {
  const folder = temporaryFolder();
  const unpacked = join(folder, 'unpacked');
  const pictures = await Promise.all([0, 1, 2].map((seed) => jpeg(seed, 16, 12)));
  const name = 'data/train-00000-of-00001.parquet';
  const data = shard(pictures, [1n, 0n, 1n], ['cat', 'dog']);
  const inner = zipFile([{ name, data: deflateRawSync(data), size: data.length, method: 8 }]);
  const archives = {
    'stored.tar': tarFile([{ name, data }]),
    'packed.tgz': gzipSync(tarFile([{ name, data }])),
    'deflated.zip': inner,
    'nested.tar': tarFile([{ name: 'in/x.zip', data: inner }]),
  };
  writeFiles(folder, archives);
  for (const file of Object.keys(archives)) {
    const images: FoundImage[] = [];
    await listImages({ folder, file }, {}, unpacked, (some) => images.push(...some));
    const read = images.map((image) =>
      readLocated(resolvePlace({ folder, locator: image.locator! }, unpacked)),
    );
    expect(await Promise.all(read), file).toEqual(pictures);
    expect(images.map(({ className }) => className)).toEqual(['dog', 'cat', 'dog']);
  }
  // The tgz's tar and the table of the zip, there and in the tar; of the stored one nothing.
  expect(readdirSync(unpacked)).toHaveLength(3);
});

test.each(['UNCOMPRESSED', 'SNAPPY'] as const)('values come back row by row and one by one, %s', (codec) => {
  const numbers = Array.from({ length: 1000 }, (_, index) => index % 7);
  const texts = numbers.map((number) => `name ${number}`);
  const file = new ParquetFile(
    inMemory(
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'number', data: numbers, type: 'INT32' },
            { name: 'text', data: texts, type: 'STRING' },
          ],
          codec,
          rowGroupSize: 300,
          pageSize: 500,
        }),
      ),
    ),
  );
  expect(file.rows).toBe(1000);
  expect([...file.values('number')]).toEqual(numbers);
  expect([...file.values('text')]).toEqual(texts);
  expect([999, 0, 299, 300].map((row) => file.value('text', row))).toEqual(
    [999, 0, 299, 300].map((row) => texts[row]),
  );
});

test('no byte of a file, whatever its value, does more than refuse, and soon', () => {
  const good = shard([new Uint8Array(40), new Uint8Array(40)], [1n, 0n], ['a', 'b']);
  const started = performance.now();
  for (let at = 0; at < good.length; at++)
    for (const value of [0, 0x7f, 0xff]) {
      const bytes = Buffer.from(good);
      bytes[at] = value;
      try {
        const file = new ParquetFile(inMemory(bytes));
        for (const column of ['image.bytes', 'image.path', 'label']) [...file.values(column)];
      } catch (error) {
        expect(error).toBeInstanceOf(DamagedFile);
      }
    }
  // 4,000 readings of a kilobyte each take 2 s; one length that is believed takes minutes, or all memory.
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(process.memoryUsage.rss()).toBeLessThan(2 ** 30);
});

test('what is no Parquet file is refused with the reason', () => {
  const refused = (bytes: Uint8Array) => () => new ParquetFile(inMemory(bytes));
  const good = shard([new Uint8Array(4)], [1n]);
  expect(refused(new Uint8Array(4))).toThrow('too short');
  expect(refused(good.subarray(0, good.length - 3))).toThrow('cut off');
  const long = Buffer.from(good);
  long.writeUInt32LE(2 ** 31, good.length - 8);
  expect(refused(long)).toThrow('its index is larger than the file');
});
