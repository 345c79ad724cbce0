import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectModelFile } from '../../src-main/backbones/inspect.ts';
import { openNetworkFile, readNetwork } from '../../src-main/backbones/network-file.ts';
import type { Engine } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { readSafetensorsHeader } from '../../src-main/formats/safetensors.ts';
import { drawPicture } from '../../src-main/sample/draw.ts';
import { pretrainNetwork, untrainedNetwork } from '../../src-main/sample/pretrain-network.ts';
import { preprocessing, recipe, sampleFiles } from '../../src-main/sample/recipe.ts';
import { kinship, type Species, sourceSpecies, targetSpecies } from '../../src-main/sample/species.ts';
import { predictLogits } from '../../src-main/trainer/predict-logits.ts';
import type { JobSample } from '../../src-main/trainer/protocol.ts';

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cotune-network-'));
  engine = await openEngine('cpu');
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

/** Draws `count` pictures of every species with a seed that no training saw. */
async function drawSamples(species: readonly Species[], count: number): Promise<JobSample[]> {
  const samples: JobSample[] = [];
  for (const [label, one] of species.entries())
    for (let index = 0; index < count; index++) {
      const path = join(folder, `${one.name} ${index}.jpg`);
      const picture = await drawPicture(one, recipe.seed + 1, 'test', index);
      await writeFile(path, picture);
      const hash = createHash('sha256').update(picture).digest('hex');
      samples.push({ id: samples.length, path, hash, label });
    }
  return samples;
}

test('the bundled network is at most 4 MB and says all that registering it needs', async () => {
  expect((await stat(sampleFiles.weights)).size).toBeLessThanOrEqual(4_000_000);
  expect(await inspectModelFile(sampleFiles.weights)).toMatchObject({
    architecture: recipe.architecture,
    padding: recipe.padding,
    preprocessing,
    sourceClasses: sourceSpecies.map(({ name }) => name),
    temperature: expect.any(Number),
    origin: expect.stringContaining(`npm run sample:pretrain (seed ${recipe.seed}`),
  });
});

test('the class list and the kinship beside it are those of the drawings', async () => {
  const names = (await readFile(sampleFiles.classes, 'utf8')).trimEnd().split('\n');
  expect(names).toEqual(sourceSpecies.map(({ name }) => name));
  expect(JSON.parse(await readFile(sampleFiles.kinship, 'utf8'))).toEqual(kinship);
});

test('the bundled network reaches its stated accuracy on freshly drawn source pictures', async () => {
  const stated = Number(readSafetensorsHeader(sampleFiles.weights).metadata.accuracy);
  const samples = await drawSamples(sourceSpecies, 5);
  const file = openNetworkFile(sampleFiles.weights, recipe.architecture, recipe.padding);
  const network = untrainedNetwork(recipe, sourceSpecies.length);
  const weights = readNetwork(file, file.tensors);
  const images = { size: preprocessing.inputSize, preprocessing, cacheFolder: join(folder, 'cache') };
  const { logits } = await predictLogits(engine, network, 'source', weights, samples, images);
  const right = samples.filter(({ label }, i) => {
    const row = logits.subarray(i * sourceSpecies.length, (i + 1) * sourceSpecies.length);
    return row.indexOf(Math.max(...row)) === label;
  });
  expect(stated).toBeGreaterThan(0.75);
  // Both accuracies are measured, on 960 and on 240 pictures: three standard errors of their difference.
  const tolerance = 3 * Math.sqrt(stated * (1 - stated) * (1 / 960 + 1 / samples.length));
  expect(Math.abs(right.length / samples.length - stated)).toBeLessThan(tolerance);
});

test('pre-training in slices ends with the very weights of pre-training in one go', async () => {
  const small = { ...recipe, width: 0.1, batch: 4, steps: 4, warmupSteps: 2 };
  const samples = await drawSamples(targetSpecies, 1);
  const network = untrainedNetwork(small, targetSpecies.length);
  const options = { recipe: small, network, samples, cacheFolder: join(folder, 'cache') };
  const whole = await pretrainNetwork(engine, {
    ...options,
    checkpoint: join(folder, 'whole.safetensors'),
    slice: Number.POSITIVE_INFINITY,
    onStep() {},
  });
  const checkpoint = join(folder, 'sliced.safetensors');
  let slices = 0;
  let sliced = null;
  while (!sliced) {
    slices++;
    // A slice that is over after its first step: time is only looked at between steps.
    const start = performance.now();
    sliced = await pretrainNetwork(engine, { ...options, checkpoint, slice: 1e-3, onStep() {} });
    expect(performance.now()).toBeGreaterThan(start);
    expect(slices).toBeLessThanOrEqual(5);
  }
  expect(slices).toBeGreaterThan(1);
  expect(sliced).toEqual(whole);
});
