import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sourceHead } from '../../src-main/backbones/backbone.ts';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import type { Service } from '../../src-main/service/service.ts';
import threeLayers from '../fixtures/networks/three-layers.ts';
import { cotune } from './cli-process.ts';
import { type Fixture, makeFixture, open } from './fixture.ts';

const networks = fileURLToPath(new URL('../fixtures/networks', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cotune-added-'));
const weights = join(folder, 'three.safetensors');
let fixture: Fixture;
let service: Service;

beforeAll(async () => {
  process.env.COTUNE_NETWORKS = networks;
  fixture = await makeFixture();
  service = await open(fixture);
  const backbone = createBackbone({ architecture: 'three_layers', padding: 'symmetric', width: 1 });
  writeSafetensors(
    weights,
    [...backbone.tensors, ...sourceHead(backbone, 3)].map(({ name, shape }) => [
      name,
      { shape, values: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5) },
    ]),
  );
});
afterAll(async () => {
  delete process.env.COTUNE_NETWORKS;
  await service.close();
  fixture.remove();
  rmSync(folder, { recursive: true });
});

test('a network that one file in a folder describes is listed by the service, and its weights are recognized', async () => {
  expect(await service.call('models.architectures', {})).toContainEqual({
    name: threeLayers.name,
    title: threeLayers.title,
    traits: { has: expect.any(Array), blocks: expect.any(Number) },
  });
  const model = await service.call('models.add', { path: weights, name: 'three' });
  expect(model.architecture).toBe('three_layers');
});

test('the command line names it, and a trainer process trains it', async () => {
  expect((await cotune(['models', 'add', '--help'])).stdout).toContain('three_layers');
  const work = ['--model', 'three_layers', '--batch', '2', '--size', '32', '--steps', '1'];
  const bench = await cotune(['bench', 'train', ...work, '--engine', 'cpu', '--json', '--home', folder]);
  expect(JSON.parse(bench.stdout)).toMatchObject({ bench: 'train', architecture: 'three_layers' });
});
