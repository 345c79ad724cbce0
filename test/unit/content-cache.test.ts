import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { contentKey, openContentCache } from '../../src-main/formats/content-cache.ts';
import { packArrays, unpackArrays } from '../../src-main/formats/packed-arrays.ts';
import { ofPixels } from '../../src-main/tasks/image-classification.ts';
import {
  type Predictor,
  type PreparationOrigin,
  preparationKey,
  type RelationshipOrigin,
  relationshipKey,
  sourceLogitsKey,
} from '../../src-main/trainer/content-keys.ts';
import { temporaryFolder } from './pictures.ts';

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const value = (text: string) => new TextEncoder().encode(text);

test('a value is made once, also by another process of the same folder', async () => {
  const folder = temporaryFolder();
  let made = 0;
  const make = async () => value(`made ${++made}`);
  const key = contentKey({ image: 'a' });
  const [first, second] = [openContentCache(folder, 'x', 1e6), openContentCache(folder, 'x', 1e6)];
  expect(await first.getOrMake(key, make)).toEqual(value('made 1'));
  expect(Buffer.from(await second.getOrMake(key, make)).toString()).toBe('made 1');
  expect(openContentCache(folder, 'another kind', 1e6).read(key)).toBeNull();
});

test.each<[string, (path: string) => void]>([
  ['empty', (path) => truncateSync(path, 0)],
  ['cut inside its header', (path) => truncateSync(path, 9)],
  ['cut inside its value', (path) => truncateSync(path, 20)],
  ['longer than it says', (path) => writeFileSync(path, Buffer.concat([readFileSync(path), value('more')]))],
  ['something else', (path) => writeFileSync(path, 'something else that is long enough')],
  [
    'flipped in one bit',
    (path) => {
      const bytes = readFileSync(path);
      bytes[20] ^= 4;
      writeFileSync(path, bytes);
    },
  ],
])('a file that is %s counts as absent and is made again', async (_, damage) => {
  const folder = temporaryFolder();
  const cache = openContentCache(folder, 'x', 1e6);
  const key = contentKey({ image: 'a' });
  await cache.write(key, value('the value'));
  const [path] = filesIn(folder);
  damage(path);
  expect(cache.read(key)).toBeNull();
  expect(await cache.getOrMake(key, async () => value('the value'))).toEqual(value('the value'));
  expect(cache.read(key)?.toString()).toBe('the value');
});

test('a folder that stands in a value’s place is none of its values', () => {
  const folder = temporaryFolder();
  const key = contentKey({ image: 'a' });
  mkdirSync(join(folder, 'x', key.slice(0, 2), key), { recursive: true });
  expect(openContentCache(folder, 'x', 1e6).read(key)).toBeNull();
});

test('values begin where typed arrays may', async () => {
  const cache = openContentCache(temporaryFolder(), 'x', 1e6);
  const numbers = Float64Array.of(1, -2, Number.MIN_VALUE);
  await cache.write(contentKey({}), new Uint8Array(numbers.buffer));
  const bytes = cache.read(contentKey({}))!;
  expect(new Float64Array(bytes.buffer, bytes.byteOffset, 3)).toEqual(numbers);
});

test('beyond the limit those used least recently go, and what a dead process left half written', async () => {
  const folder = temporaryFolder();
  const [limit, bytes] = [10_000, 1000 - 16];
  const keys = Array.from({ length: 9 }, (_, at) => contentKey({ at }));
  const early = openContentCache(folder, 'x', limit);
  for (const key of keys) await early.write(key, new Uint8Array(bytes));
  const pathOf = (key: string) => join(folder, 'x', key.slice(0, 2), key);
  for (const [at, key] of keys.entries()) {
    const used = new Date(Date.now() - (20 - at) * 3_600_000);
    utimesSync(pathOf(key), used, used);
  }
  const half = `${pathOf(keys[8])}.half.tmp`;
  writeFileSync(half, 'half');
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  utimesSync(half, longAgo, longAgo);
  // Reading the oldest makes it the most recently used.
  expect(early.read(keys[0])).not.toBeNull();

  const late = openContentCache(folder, 'x', limit);
  const fresh = Array.from({ length: 4 }, (_, at) => contentKey({ fresh: at }));
  for (const key of fresh) await late.write(key, new Uint8Array(bytes));
  for (const key of [keys[0], ...fresh]) expect(late.read(key)).not.toBeNull();
  expect(keys.slice(1, 4).map((key) => late.read(key))).toEqual([null, null, null]);
  const files = filesIn(folder);
  expect(files).not.toContain(half);
  expect(files.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThanOrEqual(limit);

  const huge = contentKey({ huge: true });
  await late.write(huge, new Uint8Array(2 * limit));
  expect(late.read(huge)).toBeNull();
});

test('writes that come together stay within the limit', async () => {
  const folder = temporaryFolder();
  const cache = openContentCache(folder, 'x', 10_000);
  const writes = Array.from({ length: 40 }, (_, at) => cache.write(contentKey({ at }), new Uint8Array(984)));
  await Promise.all(writes);
  const files = filesIn(folder);
  expect(files.length).toBeGreaterThan(0);
  expect(files.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThanOrEqual(11_000);
});

test('where a value cannot be written, the path is said and nothing half written stays', async () => {
  const folder = temporaryFolder();
  const key = contentKey({ image: 'a' });
  const path = join(folder, 'x', key.slice(0, 2), key);
  mkdirSync(join(path, 'in the way'), { recursive: true });
  await expect(openContentCache(folder, 'x', 1e6).write(key, value('v'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(path),
  });
  expect(readdirSync(dirname(path))).toEqual([key]);
});

test('a key follows from every part and not from their order', () => {
  const key = contentKey({ a: 1, b: { c: [1, 2], d: null } });
  expect(contentKey({ b: { d: null, c: [1, 2] }, a: 1 })).toBe(key);
  const others = [
    { a: 2, b: { c: [1, 2], d: null } },
    { a: '1', b: { c: [1, 2], d: null } },
    { a: 1, b: { c: [2, 1], d: null } },
    { a: 1, b: { c: [1, 2], d: false } },
    { a: 1, b: { c: [1, 2] } },
  ].map(contentKey);
  expect(new Set([key, ...others]).size).toBe(6);
});

test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, new Float32Array(2), new Map(), () => 1])(
  'a key refuses %s, which JSON would lose',
  (part) => {
    expect(() => contentKey({ list: [part] })).toThrow('key.list[0]');
  },
);

const calibration = {
  temperature: 1.5,
  images: 10,
  classes: 2,
  nllBefore: 2,
  nllAfter: 1,
  data: '/data',
  hash: 'c',
  notes: [],
};
const predictor: Predictor = {
  model: {
    path: '/models/a',
    hash: 'a',
    architecture: 'resnet18',
    padding: 'symmetric',
    batchNormEpsilon: 1e-5,
    preprocessing: { inputSize: 224, resizeShorter: 256, mean: [0, 0, 0], std: [1, 1, 1] },
    sourceClasses: 1000,
    temperature: null,
  },
  engine: { name: 'cpu', device: 'a processor', versions: { onnxruntime: '1' } },
  precision: 'full',
};

test('source logits are another image’s, network’s or engine’s where any of these differs', () => {
  const { model, engine } = predictor;
  const changed: Predictor[] = [
    ...Object.entries(model)
      .filter(([name]) => !['path', 'temperature', 'preprocessing'].includes(name))
      .map(([name, old]) => ({ ...predictor, model: { ...model, [name]: `not ${old}` } })),
    ...Object.keys(model.preprocessing).map((name) => ({
      ...predictor,
      model: { ...model, preprocessing: { ...model.preprocessing, [name]: 7 } },
    })),
    { ...predictor, engine: { ...engine, name: 'webgpu' } },
    { ...predictor, engine: { ...engine, device: 'another' } },
    { ...predictor, engine: { ...engine, versions: { onnxruntime: '2' } } },
    { ...predictor, precision: 'mixed' },
  ];
  const keys = [predictor, ...changed].map((one) => sourceLogitsKey('image', one));
  keys.push(sourceLogitsKey('another image', predictor));
  expect(new Set(keys).size).toBe(keys.length);
});

test('source logits are the same wherever the network’s file lies and whatever scales them later', () => {
  const moved = {
    ...predictor,
    model: { ...predictor.model, path: '/elsewhere', temperature: 2, calibration },
  };
  expect(sourceLogitsKey('image', moved)).toBe(sourceLogitsKey('image', predictor));
});

const origin: RelationshipOrigin = {
  approach: 'reverse',
  model: predictor.model,
  engine: 'auto',
  precision: 'full',
  samples: { train: [{ hash: 'a', label: 0 }], val: [{ hash: 'b', label: 1 }] },
  targetClasses: ['ant', 'bee'],
  sourceClasses: ['fly', 'wasp'],
};

test('a relationship is another one where anything that it follows from differs', () => {
  const { model, samples } = origin;
  const changed: RelationshipOrigin[] = [
    { ...origin, approach: 'direct' },
    { ...origin, engine: 'cpu' },
    { ...origin, precision: 'mixed' },
    { ...origin, targetClasses: ['ant', 'bee', 'zebra'] },
    { ...origin, targetClasses: ['ant', 'hornet'] },
    { ...origin, targetClasses: ['bee', 'ant'] },
    { ...origin, sourceClasses: ['fly', 'hornet'] },
    { ...origin, samples: { ...samples, train: [{ hash: 'a', label: 1 }] } },
    { ...origin, samples: { ...samples, train: [{ hash: 'c', label: 0 }] } },
    { ...origin, samples: { ...samples, val: [] } },
    { ...origin, samples: { train: samples.val, val: samples.train } },
    { ...origin, model: { ...model, temperature: 1.5 } },
    { ...origin, model: { ...model, calibration } },
    { ...origin, model: { ...model, calibration: { ...calibration, temperature: 1.6 } } },
    { ...origin, model: { ...model, calibration: { ...calibration, hash: 'd' } } },
    { ...origin, model: { ...model, hash: 'b' } },
    { ...origin, model: { ...model, preprocessing: { ...ofPixels(model).preprocessing, inputSize: 96 } } },
  ];
  const keys = [origin, ...changed].map(relationshipKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(relationshipKey({ ...origin, model: { ...model, path: '/elsewhere' } })).toBe(keys[0]);
});

test('what a term prepares is another value where anything that it follows from differs', () => {
  const prepared: PreparationOrigin = {
    ...predictor,
    term: 'delta',
    origin: { version: 1, images: 8 },
    samples: [{ hash: 'a', label: 0 }],
    targetClasses: 2,
    size: 96,
    batch: 16,
  };
  const { model, engine } = prepared;
  const changed: PreparationOrigin[] = [
    { ...prepared, term: 'ewc' },
    { ...prepared, origin: { version: 2, images: 8 } },
    { ...prepared, origin: { version: 1, images: 9 } },
    { ...prepared, samples: [{ hash: 'b', label: 0 }] },
    { ...prepared, samples: [{ hash: 'a', label: 1 }] },
    { ...prepared, targetClasses: 3 },
    { ...prepared, size: 128 },
    { ...prepared, batch: 8 },
    { ...prepared, precision: 'mixed' },
    { ...prepared, engine: { ...engine, versions: { onnxruntime: '2' } } },
    { ...prepared, model: { ...model, hash: 'b' } },
    { ...prepared, model: { ...model, batchNormEpsilon: 1e-3 } },
    {
      ...prepared,
      model: { ...model, preprocessing: { ...ofPixels(model).preprocessing, resizeShorter: 96 } },
    },
  ];
  const keys = [prepared, ...changed].map(preparationKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(preparationKey({ ...prepared, model: { ...model, path: '/elsewhere', temperature: 2 } })).toBe(
    keys[0],
  );
});

test('arrays that were packed come back as they were', () => {
  const arrays = {
    a: Float32Array.of(1, Number.NaN, -0),
    'ä/b': Float32Array.of(),
    c: Float32Array.of(3e38),
  };
  expect(unpackArrays(packArrays(arrays))).toEqual(arrays);
});

test('the key of 150,000 images is a matter of moments', () => {
  const train = Array.from({ length: 150_000 }, (_, label) => ({
    hash: `${label}`.padStart(64, '0'),
    label,
  }));
  expect(relationshipKey({ ...origin, samples: { train, val: [] } })).toHaveLength(64);
});
