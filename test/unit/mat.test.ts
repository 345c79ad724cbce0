import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DamagedFile } from '../../src-main/formats/file-bytes.ts';
import { type MatValue, readMat } from '../../src-main/formats/mat/read-mat.ts';
import { type MatInput, matFile } from '../mat-writer.ts';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/mat/${name}.mat`, import.meta.url));

/** A value as plain JavaScript: what a person would write down. */
function plain(value: MatValue | undefined): unknown {
  if (value?.kind === 'numbers') return Array.from(value.values);
  if (value?.kind === 'text') return value.rows.length === 1 ? value.rows[0] : value.rows;
  if (value?.kind === 'cells') return value.cells.map(plain);
  if (value?.kind === 'structs')
    return value.elements.map((one) =>
      Object.fromEntries([...one].map(([name, inner]) => [name, plain(inner)])),
    );
  return value;
}

// scipy.io.savemat 1.17.1, do_compression true and false, of the values below.
describe.each(['packed', 'plain'])('a file that scipy wrote, %s', (name) => {
  const variables = readMat(fixture(name));

  test('structs, cells, texts and numbers of every width', () => {
    expect(plain(variables.get('annotations'))).toEqual([
      { bbox_x1: [30], class: [1], fname: '00001.jpg' },
      { bbox_x1: [31], class: [2], fname: '00002.jpg' },
      { bbox_x1: [32], class: [3], fname: '00003.jpg' },
    ]);
    expect(plain(variables.get('class_names'))).toEqual([
      'AM General Hummer SUV 2000',
      'Acura RL Sedan 2012',
      'Été',
    ]);
    expect(plain(variables.get('labels'))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(plain(variables.get('rows'))).toEqual(['ab ', 'cde']);
    expect(plain(variables.get('flag'))).toEqual([1]);
    expect(plain(variables.get('empty'))).toEqual([]);
  });

  test('a matrix stands column by column, with its extents', () => {
    expect(variables.get('small')).toMatchObject({ kind: 'numbers', dims: [2, 2] });
    expect(plain(variables.get('small'))).toEqual([1, 3, -2, 4]);
  });
});

test.each([
  { compressed: true, bigEndian: false },
  { compressed: false, bigEndian: true },
])('what the writer of the tests writes is read again, %o', (options) => {
  const values: Record<string, MatInput> = {
    ids: [1, 2, 3.5],
    names: ['a', 'longer than four', ''],
    rows: [{ class: [7], fname: '1.jpg' }],
  };
  const read = readMat(matFile(values, options));
  expect(Object.fromEntries([...read].map(([name, value]) => [name, plain(value)]))).toEqual(values);
});

describe('a file that is not what it says', () => {
  const good = matFile({ names: ['some', 'names'], rows: [{ a: [1] }] }, { compressed: false });
  const refused = (bytes: Buffer, reason: RegExp) => {
    expect(() => readMat(bytes)).toThrow(DamagedFile);
    expect(() => readMat(bytes)).toThrow(reason);
  };

  test('HDF5, another file, and one cut off are refused with the reason', () => {
    refused(Buffer.from(`MATLAB 7.3 MAT-file${' '.repeat(200)}`), /7\.3 \(HDF5\).*-v7/);
    refused(Buffer.from('not a MAT-file'), /does not begin/);
    refused(good.subarray(0, good.length - 9), /cut off/);
    const packed = matFile({ ids: [1, 2, 3] });
    refused(packed.subarray(0, packed.length - 4), /cut off/);
  });

  test('no byte of it, whatever its value, does more than refuse', () => {
    for (let at = 128; at < good.length; at++)
      for (const value of [0, 0x7f, 0xff]) {
        const bytes = Buffer.from(good);
        bytes[at] = value;
        try {
          readMat(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedFile);
        }
      }
  });

  test('a bomb is not inflated, and more cells than there are bytes are not made', () => {
    const bomb = deflateSync(Buffer.alloc(65 * 2 ** 20));
    const tag = Buffer.alloc(8);
    tag.writeUInt32LE(15, 0);
    tag.writeUInt32LE(bomb.length, 4);
    refused(Buffer.concat([good.subarray(0, 128), tag, bomb]), /more than 64 MiB/);
    const cells = matFile({ a: ['x', 'y'] }, { compressed: false });
    // The extents of the cell array: 1 × 2 becomes 1 × 2,147,483,647.
    cells.writeInt32LE(2 ** 31 - 1, 128 + 8 + 16 + 8 + 4);
    refused(cells, /ends too early/);
  });
});
