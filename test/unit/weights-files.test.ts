import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { ProtobufWriter } from '../../src-main/engine/lower/protobuf.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { openWeights } from '../../src-main/formats/weights/open.ts';
import { sharedPath } from '../shared-folder.ts';

const fixtures = fileURLToPath(new URL('../fixtures/torch/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cotune-weights-'));
afterAll(() => rmSync(folder, { recursive: true }));
const json = (name: string) => JSON.parse(readFileSync(join(fixtures, name), 'utf8'));

type Expected = Record<string, { shape: number[]; values: number[] }>;
const expected: Record<string, Expected> = json('expected.json');

test.each(Object.keys(expected))('%s is read to the tensors that torch.load gives', (name) => {
  const source = openWeights(join(fixtures, name));
  expect([...source.tensors.keys()].sort()).toEqual(Object.keys(expected[name]).sort());
  for (const [tensor, { shape, values }] of Object.entries(expected[name])) {
    expect(source.tensors.get(tensor)?.shape, tensor).toEqual(shape);
    // Equal to the bit: the same float32 values, which JSON holds in full.
    expect([...source.read(tensor)], tensor).toEqual(values);
  }
});

test('a checkpoint says which of its dictionaries was taken', () => {
  expect(openWeights(join(fixtures, 'nested.zip.pth')).notes).toEqual([
    'The weights are those under state_dict; there are others under state_dict_ema.',
  ]);
});

test('public checkpoints are read to the tensors that torch.load gives', (context) => {
  const shared = sharedPath('models');
  if (!shared) return context.skip('needs ../shared/models');
  const files: Record<string, Record<string, { shape: number[]; sha256: string }>> = json('public.json');
  for (const [file, tensors] of Object.entries(files)) {
    const source = openWeights(join(shared, file.startsWith('squeezenet') ? file : `checkpoints/${file}`));
    expect([...source.tensors.keys()].sort(), file).toEqual(Object.keys(tensors).sort());
    for (const [name, { shape, sha256 }] of Object.entries(tensors)) {
      expect(source.tensors.get(name)?.shape).toEqual(shape);
      const bytes = new Uint8Array(source.read(name).buffer);
      expect(createHash('sha256').update(bytes).digest('hex'), `${file} ${name}`).toBe(sha256);
    }
  }
});

describe('ONNX initializers', () => {
  const float32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const entry = (key: string, value: string) => new ProtobufWriter().bytes(1, key).bytes(2, value);
  const model = (...tensors: ProtobufWriter[]): Uint8Array => {
    const graph = new ProtobufWriter().bytes(2, 'graph');
    for (const tensor of tensors) graph.bytes(5, tensor);
    return new ProtobufWriter()
      .integer(1, 8)
      .bytes(2, 'test')
      .bytes(7, graph)
      .bytes(14, entry('origin', 'here'))
      .toBytes();
  };
  const tensor = (name: string, type: number, ...shape: number[]) => {
    const message = new ProtobufWriter();
    for (const extent of shape) message.integer(1, extent);
    return message.integer(2, type).bytes(8, name);
  };
  const outside = (name: string, location: string, offset = 0, length = 8) =>
    tensor(name, 1, 2)
      .bytes(13, entry('location', location))
      .bytes(13, entry('offset', String(offset)))
      .bytes(13, entry('length', String(length)))
      .integer(14, 1);
  const write = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };

  test('are read from bytes, from lists of numbers and from files beside the model', () => {
    writeFileSync(join(folder, 'data.bin'), float32(0, 5, 6));
    const path = write(
      'all.onnx',
      model(
        tensor('raw', 1, 2, 1).bytes(9, float32(1, 2)),
        tensor('floats', 1, 2).bytes(4, float32(3, 4)),
        tensor('float', 1).float(4, 2.5),
        tensor('ints', 7, 2).bytes(7, Uint8Array.of(3, 0x80, 1)),
        tensor('halves', 10, 1).bytes(5, Uint8Array.of(0x80, 0x78)),
        tensor('text', 8, 1),
        outside('outside', 'data.bin', 4),
      ),
    );
    const source = openWeights(path);
    expect(source.metadata).toEqual({ origin: 'here' });
    const read = (name: string) => [[...source.tensors.get(name)!.shape], [...source.read(name)]];
    expect(read('raw')).toEqual([
      [2, 1],
      [1, 2],
    ]);
    expect(read('floats')).toEqual([[2], [3, 4]]);
    expect(read('ints')).toEqual([[2], [3, 128]]);
    expect(read('halves')).toEqual([[1], [1]]);
    expect(read('outside')).toEqual([[2], [5, 6]]);
    expect(read('float')).toEqual([[], [2.5]]);
    expect(() => source.read('text')).toThrow('elements of type 8');
  });

  test.each([
    ['a path upwards', '../data.bin'],
    ['an absolute path', '/etc/passwd'],
    ['a path of Windows', 'C:\\data.bin'],
    ['a path that goes down and up', 'a/../../data.bin'],
    ['a link that leads out', 'link.bin'],
    ['nothing', ''],
    ['the folder itself', '.'],
  ])('data under %s is refused', (_, location) => {
    rmSync(join(folder, 'link.bin'), { force: true });
    symlinkSync('/etc/hostname', join(folder, 'link.bin'));
    const source = openWeights(write('out.onnx', model(outside('w', location))));
    expect(() => source.read('w')).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('outside its folder') }),
    );
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      'a shape of petabytes',
      model(tensor('w', 1, 2 ** 40, 2 ** 12).bytes(9, float32(1))),
      /bytes instead of|shape/,
    ],
    ['a negative extent', model(tensor('w', 1, -1).bytes(9, float32(1))), /shape|instead of/],
    ['too few bytes', model(tensor('w', 1, 3).bytes(9, float32(1))), /4 bytes instead of 12/],
    [
      'a name that stands twice',
      model(tensor('w', 1, 1).bytes(9, float32(1)), tensor('w', 1, 1).bytes(9, float32(1))),
      /stands twice/,
    ],
    ['no initializer', model(), /no initializers/],
    ['a cut-off end', model(tensor('w', 1, 99).bytes(9, new Uint8Array(396))).subarray(0, 300), /cut off/],
    ['external data beyond its file', model(outside('w', 'data.bin', 9999)), /cut off/],
  ])('%s is refused', (_, bytes, complaint) => {
    writeFileSync(join(folder, 'data.bin'), float32(0, 5, 6));
    const path = write('bad.onnx', bytes);
    expect(() => openWeights(path).read('w')).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringMatching(complaint) }),
    );
  });
});

describe('weights in several files', () => {
  const shard = (name: string, tensor: string, value: number) =>
    writeSafetensors(join(folder, name), [[tensor, { shape: [1], values: Float32Array.of(value) }]]);
  const index = (map: unknown): string => {
    const path = join(folder, 'model.safetensors.index.json');
    writeFileSync(path, JSON.stringify({ metadata: { total_size: 8 }, weight_map: map }));
    return path;
  };

  test('are one network', () => {
    shard('one.safetensors', 'a', 1);
    shard('two.safetensors', 'b', 2);
    const source = openWeights(index({ a: 'one.safetensors', b: 'two.safetensors' }));
    expect([...source.tensors.keys()].map((name) => [name, ...source.read(name)])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    ['that lie elsewhere', { a: '../one.safetensors' }, /not beside it/],
    ['that are missing', { a: 'three.safetensors' }, /There is no file .*three/],
    ['that lack a tensor', { c: 'one.safetensors' }, /does not hold the tensor c/],
    ['that are an index', { a: 'model.safetensors.index.json' }, /index inside an index/],
    ['that are no names', { a: 3 }, /does not name a file/],
  ])('%s are refused', (_, map, complaint) => {
    shard('one.safetensors', 'a', 1);
    expect(() => openWeights(index(map))).toThrow(complaint);
  });
});
