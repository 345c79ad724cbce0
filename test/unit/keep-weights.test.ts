import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { mappingOf } from '../../src-main/backbones/mapping.ts';
import { networkPrefix, prefixNotes, subtree } from '../../src-main/backbones/subtree.ts';
import { classList } from '../../src-main/formats/class-names/class-list.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { convertWeights } from '../../src-main/formats/weights/convert.ts';
import { openWeights } from '../../src-main/formats/weights/open.ts';
import { openSafetensors } from '../../src-main/formats/weights/safetensors.ts';
import type { TensorSpec } from '../../src-main/formats/weights/tensor-source.ts';
import { hashFile } from '../../src-main/service/data-check.ts';
import { forkReader } from '../../src-main/service/fork-reader.ts';
import { openHome } from '../../src-main/service/home.ts';
import { keepWeights } from '../../src-main/service/keep-weights.ts';
import { openReader } from '../../src-main/service/reader.ts';
import { writeWeights } from '../contract/fixture.ts';
import { sharedPath } from '../shared-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-keep-'));
const reader = openReader(forkReader());
afterAll(async () => {
  await reader.close();
  rmSync(folder, { recursive: true });
});
const home = openHome(join(folder, 'home'));
const kept = (): string[] => readdirSync(join(home.root, 'models'));
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/torch/${name}`, import.meta.url));

test('what a checkpoint holds behind a prefix is written anew without it, value by value', async () => {
  const source = openWeights(fixture('nested.zip.pth'));
  const path = join(folder, 'converted.safetensors');
  const hash = await convertWeights(subtree(source, 'module.'), path, { origin: 'x' });
  expect(hash).toBe(await hashFile(path));
  const written = openSafetensors(path);
  expect(written.metadata).toEqual({ origin: 'x' });
  expect([...written.tensors.keys()].sort()).toEqual(['bn.num_batches_tracked', 'conv.bias', 'conv.weight']);
  for (const name of written.tensors.keys())
    expect(written.read(name)).toEqual(source.read(`module.${name}`));
});

test('halves stay halves, and a read that fails leaves nothing', async () => {
  const source = openWeights(fixture('kinds.zip.pth'));
  const path = join(folder, 'kinds.safetensors');
  await convertWeights(source, path, {});
  expect(openSafetensors(path).tensors.get('half')?.dtype).toBe('F16');
  for (const name of source.tensors.keys())
    expect(openSafetensors(path).read(name), name).toEqual(source.read(name));
  const failing = { ...source, read: () => Promise.reject(new Error('gone')) };
  await expect(convertWeights(failing, join(folder, 'failed'), {})).rejects.toThrow('gone');
  expect(readdirSync(folder)).not.toContain('failed');
});

test('a safetensors file is kept as it is, one with a prefix as the network that it is', async () => {
  const plain = join(folder, 'plain.safetensors');
  writeWeights(plain);
  const first = await keepWeights(home, reader, plain, {});
  expect(first.hash).toBe(await hashFile(plain));
  expect(first.facts.notes).toEqual([expect.stringContaining('Nothing names its')]);

  const wrapped = join(folder, 'wrapped.safetensors');
  const source = openSafetensors(plain);
  writeSafetensors(
    wrapped,
    [...source.tensors].map(([name, { shape }]) => [
      `module.${name}`,
      { shape: [...shape], values: source.read(name) },
    ]),
  );
  const second = await keepWeights(home, reader, wrapped, {});
  expect(second.facts).toMatchObject({
    architecture: 'resnet18',
    origin: 'wrapped.safetensors',
    notes: ['Names of tensors lost their prefix “module.”.', expect.stringContaining('Nothing names its')],
  });
  expect(kept().sort()).toEqual([first.hash, second.hash].map((hash) => `${hash}.safetensors`).sort());
});

test('what is refused leaves nothing, and is called by its own name', async () => {
  const before = kept();
  const path = join(folder, 'refused.pth');
  writeFileSync(path, '<html>');
  for (const file of [path, fixture('plain.zip.pth')])
    await expect(keepWeights(home, reader, file, {})).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(file),
    });
  expect(kept()).toEqual(before);
});

test('what a file is, tensor by tensor, is told without keeping anything; what is no network is told the nearest', () => {
  const path = join(folder, 'plain.safetensors');
  const source = openSafetensors(path);
  const known = ['mobilenet_v2', 'resnet18'];
  const mapping = mappingOf(source, known);
  expect(mapping).toMatchObject({ architecture: 'resnet18', differs: '', classes: 3 });
  expect(mapping.tensors).toContainEqual({
    file: 'fc.bias',
    network: 'fc.bias',
    shape: [3],
  });
  const without = new Map([...source.tensors].filter(([name]) => name !== 'bn1.bias'));
  expect(mappingOf({ ...source, tensors: without }, known)).toMatchObject({
    architecture: 'resnet18',
    differs: '1 tensor missing (bn1.bias)',
  });
});

test('a network is found behind the prefixes of wrappers, and among tensors that are not its own', () => {
  const plain = openSafetensors(join(folder, 'plain.safetensors'));
  const headless = [...plain.tensors].filter(([name]) => !name.startsWith('fc.'));
  const prefixed = (prefix: string, tensors = [...plain.tensors]) =>
    tensors.map(([name, spec]) => [prefix + name, spec] as const);
  const spec: TensorSpec = { shape: [10], dtype: 'F32' };
  const prefixIn = (...tensors: (readonly [string, TensorSpec])[]) =>
    networkPrefix({ ...plain, tensors: new Map(tensors) } as typeof plain, ['mobilenet_v2', 'resnet18']);
  expect(prefixIn(...prefixed(''))).toBe('');
  expect(prefixIn(...prefixed('module._orig_mod.model.'))).toBe('module._orig_mod.model.');
  expect(prefixIn(['criterion.weight', spec], ...prefixed('net.'))).toBe('net.');
  expect(prefixIn(...prefixed('backbone.', headless), ['head.weight', spec])).toBe('backbone.');
  expect(
    prefixIn(['queue', spec], ...prefixed('encoder_q.', headless), ...prefixed('encoder_k.', headless)),
  ).toBe('encoder_q.');
  // What is nearest to a network is what its differences are told of.
  expect(prefixIn(...prefixed('module.', headless.slice(5)))).toBe('module.');
  expect(prefixIn(...headless.slice(5))).toBe('');
  expect(
    prefixNotes(
      {
        ...plain,
        tensors: new Map([
          ['a.b', spec],
          ['c', spec],
        ]),
      },
      'a.',
    ),
  ).toEqual(['Names of tensors lost their prefix “a.”.', 'Tensors without it are left out: 1, such as c.']);
});

test('a file without its head is a model without source classes, which takes no names for them', async () => {
  const source = openSafetensors(join(folder, 'plain.safetensors'));
  const path = join(folder, 'headless.safetensors');
  writeSafetensors(
    path,
    [...source.tensors]
      .filter(([name]) => !name.startsWith('fc.'))
      .map(([name, { shape }]) => [name, { shape: [...shape], values: source.read(name) }]),
  );
  const { facts } = await keepWeights(home, reader, path, {});
  expect(facts.sourceClasses).toEqual([]);
  expect(facts.notes.join()).toContain('no source head');
  const classes = { path: 'names.txt', names: ['a'], blanks: [], notes: [] };
  await expect(keepWeights(home, reader, path, { classes })).rejects.toThrow('no source head');
});

test('a public SqueezeNet is added as it is, with its prediction head', async (context) => {
  const path = sharedPath('models/squeezenet1_1.imagenet1k.pth');
  if (!path) return context.skip('needs ../shared/models');
  const { facts } = await keepWeights(home, reader, path, { classes: classList('imagenet-1k') });
  expect(facts).toMatchObject({ architecture: 'squeezenet1_1', parameters: 1_235_496 });
  expect(facts.sourceClasses).toHaveLength(1000);
});
