import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { readSafetensorsHeader, readTensors, writeSafetensors } from '../../src-main/formats/safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const hostile = fileURLToPath(new URL('../fixtures/safetensors/', import.meta.url));

/** What the error must name, by hostile file. */
const complaints: Record<string, RegExp> = {
  'too-short': /3 bytes/,
  'header-longer-than-file': /claims 1000000 bytes/,
  'header-of-eight-exabytes': /claims 9223372036854776000 bytes/,
  'header-not-json': /not JSON/,
  'header-a-list': /not a JSON object/,
  'header-not-utf8': /not UTF-8/,
  'offsets-beyond-file': /"a" ends beyond the file/,
  'offsets-reversed': /"a" has the offsets \[4,0\]/,
  'offsets-negative': /"a" has the offsets \[-4,0\]/,
  'offsets-fractional': /"a" has the offsets \[0,4.5\]/,
  overlap: /"b" overlaps/,
  gap: /"b" leaves a gap/,
  'trailing-bytes': /4 bytes follow/,
  'shape-size-mismatch': /"a" of shape \[3\] \(F32\) needs 12 bytes and has 8/,
  'shape-overflow': /"a" of shape/,
  'shape-negative': /"a" has the shape \[-1,-1\]/,
  'shape-missing': /"a" has the shape undefined/,
  'unknown-type': /unknown element type "Q4_0"/,
  'inherited-type': /unknown element type "toString"/,
  'entry-null': /unknown element type/,
  'duplicate-name': /"a" appears twice/,
  'duplicate-name-escaped': /"a" appears twice/,
  'metadata-of-numbers': /not an object of strings/,
};

test.each(Object.entries(complaints))('a file with %s is refused by name', (name, complaint) => {
  expect(() => readSafetensorsHeader(join(hostile, `${name}.safetensors`))).toThrow(
    expect.objectContaining({ code: 'bad-input', message: expect.stringMatching(complaint) }),
  );
});

test('every hostile file kept here is tested', () => {
  expect(readdirSync(hostile).sort()).toEqual(
    Object.keys(complaints)
      .map((name) => `${name}.safetensors`)
      .sort(),
  );
});

test('an absent file is not found rather than unsound', () => {
  expect(() => readSafetensorsHeader(join(folder, 'absent.safetensors'))).toThrow(
    expect.objectContaining({ code: 'not-found' }),
  );
});

test('what was written is read back, metadata included, and a failure leaves no half file', () => {
  const path = join(folder, 'round-trip.safetensors');
  const values = Float32Array.of(1, -2.5, 3e-20, 4, Number.NaN, Number.NEGATIVE_INFINITY);
  const { bytes, hash } = writeSafetensors(path, [['größe', { shape: [2, 3], values }]], { note: 'ä"\\' });
  expect(readFileSync(path).length).toBe(bytes);
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  const header = readSafetensorsHeader(path);
  expect(header.metadata).toEqual({ note: 'ä"\\' });
  expect(header.tensors.get('größe')?.shape).toEqual([2, 3]);
  expect(readTensors(header, ['größe']).get('größe')).toEqual(values);
  expect(() => readTensors(header, ['other'])).toThrow('no tensor "other"');

  function* failing(): Generator<[string, { shape: number[]; values: Float32Array }]> {
    yield ['a', { shape: [1], values: Float32Array.of(1) }];
    throw new Error('disk on fire');
  }
  expect(() => writeSafetensors(path, failing())).toThrow('disk on fire');
  expect(readTensors(readSafetensorsHeader(path), ['größe']).get('größe')).toEqual(values);
  expect(() => writeSafetensors(join(folder, 'absent', 'x.safetensors'), [])).toThrow(
    'folder does not exist',
  );
  expect(readdirSync(folder)).toEqual(['round-trip.safetensors']);
});

test('half, bfloat16 and double tensors become float32', () => {
  const path = join(folder, 'types.safetensors');
  const header = Buffer.from(
    JSON.stringify({
      half: { dtype: 'F16', shape: [5], data_offsets: [0, 10] },
      brain: { dtype: 'BF16', shape: [3], data_offsets: [10, 16] },
      double: { dtype: 'F64', shape: [1], data_offsets: [16, 24] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Buffer.alloc(24);
  for (const [i, bits] of [0x3c00, 0xc000, 0x0001, 0x7c00, 0x7bff, 0x3f80, 0xc040, 0x0000].entries())
    data.writeUInt16LE(bits, 2 * i);
  data.writeDoubleLE(0.1, 16);
  writeFileSync(path, Buffer.concat([length, header, data]));
  const tensors = readTensors(readSafetensorsHeader(path), ['half', 'brain', 'double']);
  expect([...tensors.get('half')!]).toEqual([1, -2, 2 ** -24, Number.POSITIVE_INFINITY, 65504]);
  expect([...tensors.get('brain')!]).toEqual([1, -3, 0]);
  expect([...tensors.get('double')!]).toEqual([Math.fround(0.1)]);
});

test('rounding to half goes to the nearest, ties to even, down to subnormals', () => {
  const path = join(folder, 'half.safetensors');
  const cases: [number, number][] = [
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [2047.5, 2048],
    [2 ** -24 * 1.5, 2 ** -23],
    [2 ** -14 - 2 ** -26, 2 ** -14],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [-(2 ** -26), -0],
  ];
  const values = Float32Array.from(cases, ([value]) => value);
  writeSafetensors(path, [['x', { shape: [cases.length], values, dtype: 'F16' }]]);
  const read = readTensors(readSafetensorsHeader(path), ['x']).get('x')!;
  expect([...read]).toEqual(cases.map(([, want]) => want));
  expect(existsSync(path)).toBe(true);
});
