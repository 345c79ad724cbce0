import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { inspectModelFile } from '../../src-main/backbones/inspect.ts';
import { readNetwork } from '../../src-main/backbones/network-file.ts';
import { openEvaluationBatches } from '../../src-main/data/batches.ts';
import type { Arrays } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { drawPicture } from '../../src-main/sample/draw.ts';
import { preprocessing, recipe, sampleFiles } from '../../src-main/sample/recipe.ts';
import { targetSpecies } from '../../src-main/sample/species.ts';
import { openSource } from '../../src-main/trainer/open-source.ts';
import type { JobModel, JobSample, TrainJob } from '../../src-main/trainer/protocol.ts';
import { optimizerOf } from '../../src-main/transfer/catalog.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';
import type { Precision } from '../../src-shared/domain.ts';
import { converse, defaults } from './trainer-fixture.ts';

vi.setConfig({ testTimeout: 240_000 });
const size = preprocessing.inputSize;
let folder: string;
let model: JobModel;
let train: JobSample[];
let unseen: JobSample[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-mixed-'));
  const facts = await inspectModelFile(sampleFiles.weights);
  model = { ...facts, path: sampleFiles.weights, hash: 'sample', sourceClasses: facts.sourceClasses.length };
  train = await draw('train', 6);
  unseen = await draw('test', 12);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** So many pictures of every target species. */
async function draw(split: string, count: number): Promise<JobSample[]> {
  const samples: JobSample[] = [];
  for (const [label, species] of targetSpecies.entries())
    for (let index = 0; index < count; index++) {
      const path = join(folder, `${split} ${species.name} ${index}.jpg`);
      const picture = await drawPicture(species, recipe.seed + 1, split, index);
      writeFileSync(path, picture);
      const hash = createHash('sha256').update(picture).digest('hex');
      samples.push({ id: samples.length, path, hash, label });
    }
  return samples;
}

const job = (precision: Precision): TrainJob => ({
  kind: 'train',
  task: 'image-classification',
  run: 1,
  config: {
    ...defaults,
    precision,
    steps: 40,
    batch: 16,
    size,
    learningRate: 0.005,
    schedule: { name: 'step', decayAt: [30] },
  },
  targetClasses: targetSpecies.length,
  classNames: targetSpecies.map(({ name }) => name),
  model,
  samples: { train, val: [], test: unseen },
  relationship: null,
  teacher: null,
  cacheFolder: join(folder, 'cache'),
  runFolder: join(folder, precision),
  resumeFrom: null,
});

/** Whether each picture of the test split is told right. */
async function answers(precision: Precision): Promise<boolean[]> {
  const said = await converse(job(precision));
  const probabilities = said.probabilities('test');
  return unseen.map(({ label }, index) => {
    const row = probabilities.slice(index * targetSpecies.length, (index + 1) * targetSpecies.length);
    return row.indexOf(Math.max(...row)) === label;
  });
}

test('a run in mixed precision tells as many pictures right as one in full', async () => {
  const [full, mixed] = [await answers('full'), await answers('mixed')];
  const right = (list: boolean[]) => list.filter(Boolean).length;
  // Far from guessing, so that there is something to lose.
  expect(right(full) / unseen.length).toBeGreaterThan(4 / targetSpecies.length);
  // Only pictures that the two disagree on count; by chance alone half of them fall either way, give or take √n / 2.
  const disagreed = full.filter((answer, index) => answer !== mixed[index]).length;
  expect(Math.abs(right(full) - right(mixed))).toBeLessThanOrEqual(3 * Math.sqrt(disagreed));
});

/** Momentum after one step from the pre-trained weights: the gradient, and weight decay that both share. */
async function firstGradient(precision: Precision): Promise<{ loss: number; gradient: Arrays }> {
  const { file, network } = openSource(model, targetSpecies.length);
  const batch = 16;
  const program = trainingProgram(network, {
    ...job(precision).config,
    optimizer: optimizerOf({ name: 'sgd', weightDecay: 0 }),
    batch,
  });
  const engine = await openEngine('cpu', { precision });
  const executable = await engine.compile(program);
  await executable.load(initialState(program, network, readNetwork(file, file.tensors), 1));
  // Every fourth: pictures of most kinds.
  const samples = train.filter((_, index) => index % 4 === 0).slice(0, batch);
  const labels = Int32Array.from(samples, ({ label }) => label);
  const cacheFolder = join(folder, 'cache');
  for await (const { images } of await openEvaluationBatches({
    samples,
    batch,
    size,
    preprocessing,
    cacheFolder,
  })) {
    const { loss } = await executable.run({ images, labels, learning_rate: Float32Array.of(0.001) });
    const names = Object.keys(program.state).filter((name) => name.startsWith('momentum/'));
    const gradient = await executable.read(names);
    await engine.dispose();
    return { loss: loss[0], gradient };
  }
  throw new Error('There was no batch.');
}

test('a gradient in mixed precision is within 2 % of the full one, its loss within 0.1 %', async () => {
  const [full, mixed] = [await firstGradient('full'), await firstGradient('mixed')];
  let distance = 0;
  let length = 0;
  for (const [name, values] of Object.entries(full.gradient))
    for (const [index, value] of values.entries()) {
      distance += (mixed.gradient[name][index] - value) ** 2;
      length += value ** 2;
    }
  // A stored value is off by up to 2⁻¹¹ = 0.05 %, at random: over 52 layers √52 times that, and as much again for batch
  // norm, which divides by what varies.
  expect(Math.abs(mixed.loss / full.loss - 1)).toBeLessThan(1e-3);
  expect(Math.sqrt(distance / length)).toBeLessThan(0.02);
  expect(distance).toBeGreaterThan(0);
});
