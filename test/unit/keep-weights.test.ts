import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { convertWeights } from '../../src-main/formats/weights/convert.ts';
import { openWeights } from '../../src-main/formats/weights/open.ts';
import { openSafetensors } from '../../src-main/formats/weights/safetensors.ts';
import { hashFile } from '../../src-main/service/data-check.ts';
import { openHome } from '../../src-main/service/home.ts';
import { keepWeights } from '../../src-main/service/keep-weights.ts';
import { writeWeights } from '../contract/fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-keep-'));
afterAll(() => rmSync(folder, { recursive: true }));
const home = openHome(join(folder, 'home'));
const kept = (): string[] => readdirSync(join(home.root, 'models'));
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/torch/${name}`, import.meta.url));

test('what a checkpoint holds is written anew without its wrapper’s prefix, value by value', async () => {
  const source = openWeights(fixture('nested.zip.pth'));
  const path = join(folder, 'converted.safetensors');
  const hash = await convertWeights(source, path, { origin: 'x' });
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
  const first = await keepWeights(home, plain, {});
  expect(first.hash).toBe(await hashFile(plain));
  expect(first.facts.notes).toEqual([]);

  const wrapped = join(folder, 'wrapped.safetensors');
  const source = openSafetensors(plain);
  writeSafetensors(
    wrapped,
    [...source.tensors].map(([name, { shape }]) => [
      `module.${name}`,
      { shape: [...shape], values: source.read(name) },
    ]),
  );
  const second = await keepWeights(home, wrapped, {});
  expect(second.facts).toMatchObject({
    architecture: 'mobilenet_v2',
    origin: 'wrapped.safetensors',
    notes: ['Names of tensors lost their prefix “module.”.'],
  });
  expect(kept().sort()).toEqual([first.hash, second.hash].map((hash) => `${hash}.safetensors`).sort());
});

test('what is refused leaves nothing, and is called by its own name', async () => {
  const before = kept();
  const path = join(folder, 'refused.pth');
  writeFileSync(path, '<html>');
  for (const file of [path, fixture('plain.zip.pth')])
    await expect(keepWeights(home, file, {})).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(file),
    });
  expect(kept()).toEqual(before);
});
