import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseNpy, readNpyLabels, readNpyMatrix, writeNpy } from '../../src-main/formats/npy.ts';
import { npyFile, npyHeader } from '../npy-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-npy-'));
const file = (name: string, bytes: Uint8Array) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

test.each([
  ['<f2', [0x00, 0x3c, 0x01, 0x80], [1, -(2 ** -24)]],
  ['>f2', [0x7b, 0xff, 0xfc, 0x00], [65504, Number.NEGATIVE_INFINITY]],
  ['<f4', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [1, -2]],
  ['>f4', [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1, -2]],
  ['>f8', [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1, -2]],
  ['|i1', [255, 127], [-1, 127]],
  ['<i2', [255, 255, 1, 0], [-1, 1]],
  ['>i4', [255, 255, 255, 254, 0, 0, 1, 0], [-2, 256]],
  ['<i8', [255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 1, 0, 0, 0], [-1, 2 ** 32]],
  ['|u1', [255, 0], [255, 0]],
  ['<u2', [255, 255, 1, 0], [65535, 1]],
  ['<u4', [255, 255, 255, 255, 1, 0, 0, 0], [4294967295, 1]],
  ['>u8', [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 0], [7, 256]],
  ['|b1', [1, 0], [1, 0]],
])('elements of type %s are read', (descr, bytes, values) => {
  expect([...parseNpy(npyFile(npyHeader(descr), bytes), 'a').data]).toEqual(values);
});

test('floats are taken from where they lie in the file, and read where they lie between words', () => {
  const bytes = npyFile(npyHeader('<f4'), [0, 0, 128, 63, 0, 0, 0, 192]);
  for (const offset of [0, 1, 2, 3, 4]) {
    const around = new Uint8Array(bytes.length + offset);
    around.set(bytes, offset);
    const { data } = parseNpy(around.subarray(offset), 'a');
    expect([...data]).toEqual([1, -2]);
    expect(data.buffer === around.buffer).toBe(offset % 4 === 0);
  }
});

test('versions 2 and 3, reordered keys, no trailing comma, rank 0 and an empty array are read', () => {
  for (const version of [2, 3])
    expect([...parseNpy(npyFile(npyHeader('|u1'), [1, 2], version), 'a').data]).toEqual([1, 2]);
  const reordered = "{'shape': (2,), 'descr': '|u1', 'fortran_order': False}";
  expect([...parseNpy(npyFile(reordered, [3, 4]), 'a').data]).toEqual([3, 4]);
  expect(parseNpy(npyFile(npyHeader('|u1', '()'), [5]), 'a')).toMatchObject({
    shape: [],
    data: Float64Array.of(5),
  });
  expect(parseNpy(npyFile(npyHeader('<f4', '(0, 3)'), []), 'a').shape).toEqual([0, 3]);
});

test('Fortran order is turned into C order, in two and three axes', () => {
  expect([...parseNpy(npyFile(npyHeader('|u1', '(2, 3)', 'True'), [0, 3, 1, 4, 2, 5]), 'a').data]).toEqual([
    0, 1, 2, 3, 4, 5,
  ]);
  const cube = [0, 4, 2, 6, 1, 5, 3, 7];
  expect([...parseNpy(npyFile(npyHeader('|u1', '(2, 2, 2)', 'True'), cube), 'a').data]).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7,
  ]);
});

test.each([
  ['no signature', Buffer.from('PK\x03\x04 an archive'), /does not begin with the NumPy signature/],
  ['an empty file', Buffer.alloc(0), /signature/],
  ['an unknown version', npyFile(npyHeader('|u1'), [1, 2], 9), /format version is 9/],
  [
    'a header beyond the file',
    npyFile(npyHeader('|u1'), [1, 2]).subarray(0, 30),
    /header claims \d+ bytes of a file of 30/,
  ],
  [
    'a header of 4 GiB',
    Buffer.concat([Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff', 'latin1'), Buffer.alloc(9)]),
    /claims 4294967295/,
  ],
  ['pickled objects', npyFile(npyHeader('|O'), [1, 2]), /element type is '\|O'/],
  ['complex numbers', npyFile(npyHeader('<c8'), new Uint8Array(16)), /element type is '<c8'/],
  [
    'a record type',
    npyFile("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", new Uint8Array(8)),
    /not a dict of a plain 'descr'/,
  ],
  [
    'code in the header',
    npyFile("{'descr': __import__('os').system('x'), 'fortran_order': False, 'shape': (2,), }", []),
    /not a dict/,
  ],
  [
    'a key twice',
    npyFile("{'descr': '|u1', 'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", [1, 2]),
    /names 'descr' twice/,
  ],
  ['a missing key', npyFile("{'descr': '|u1', 'shape': (2,), }", [1, 2]), /not a dict/],
  ['a negative length', npyFile(npyHeader('|u1', '(-2,)'), [1, 2]), /not a dict/],
  [
    'a shape beyond memory',
    npyFile(npyHeader('<f8', '(9007199254740991, 9007199254740991)'), []),
    /needs .* bytes, the file has/,
  ],
  [
    'a shape of many zeros',
    npyFile(npyHeader('<f8', `(${'1, '.repeat(40)})`), new Uint8Array(8)),
    /shape is beyond bounds/,
  ],
  ['too few elements', npyFile(npyHeader('<f8'), new Uint8Array(15)), /needs \d+ bytes, the file has \d+/],
  ['bytes after the array', npyFile(npyHeader('|u1'), [1, 2, 3]), /needs \d+ bytes/],
  [
    'integers beyond 2⁵³',
    npyFile(npyHeader('<u8', '(1,)'), new Uint8Array(8).fill(255)),
    /element 0 is beyond ±2⁵³/,
  ],
])('%s is refused with its reason', (_, bytes, message) => {
  expect(() => parseNpy(bytes, 'x.npy')).toThrow(message);
});

test('a matrix and its labels come from files; what is neither is named with its path', async () => {
  const matrix = file('m.npy', writeNpy({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4.5) }));
  expect(await readNpyMatrix(matrix)).toEqual({ data: Float32Array.of(1, 2, 3, 4.5), rows: 2, columns: 2 });
  const labels = file('l.npy', npyFile(npyHeader('<i4'), [1, 0, 0, 0, 2, 0, 0, 0]));
  expect(await readNpyLabels(labels)).toEqual(Int32Array.of(1, 2));
  await expect(readNpyMatrix(labels)).rejects.toThrow(/l\.npy has 1 axes/);
  await expect(readNpyLabels(matrix)).rejects.toThrow(
    /m\.npy is not a list of class indices: .*floating-point/,
  );
  const negative = file('n.npy', npyFile(npyHeader('|i1'), [0, 255]));
  await expect(readNpyLabels(negative)).rejects.toThrow(/n\.npy: element 1 is -1/);
  await expect(readNpyMatrix(join(folder, 'none.npy'))).rejects.toMatchObject({ code: 'not-found' });
  await expect(readNpyMatrix(folder)).rejects.toMatchObject({ code: 'bad-input' });
});

test('what is written is read back, and its elements begin at a multiple of 64 bytes', () => {
  const data = Float64Array.from({ length: 6 }, (_, i) => Math.PI ** i);
  const bytes = writeNpy({ shape: [2, 3], data });
  expect(parseNpy(bytes, 'a')).toMatchObject({ shape: [2, 3], data });
  expect((bytes.length - data.byteLength) % 64).toBe(0);
  expect(parseNpy(writeNpy({ shape: [1], data: Float32Array.of(0.5) }), 'a').shape).toEqual([1]);
});

test('NumPy reads what is written, and its own files are read', (context) => {
  const python = '/usr/bin/python3';
  if (spawnSync(python, ['-c', 'import numpy']).status !== 0)
    context.skip('no python3 with NumPy on this machine');
  const path = file('w.npy', writeNpy({ shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) }));
  const back = join(folder, 'f.npy');
  execFileSync(python, [
    '-c',
    `import numpy as n; a=n.load(r'${path}'); assert a.shape==(2,2); n.save(r'${back}', n.asfortranarray(a.astype('>f4')))`,
  ]);
  expect([...parseNpy(readFileSync(back), back).data]).toEqual([1, 2, 3, 4]);
});
