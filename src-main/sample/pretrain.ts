/**
 * `npm run sample:pretrain`: draws the source set and pre-trains the bundled network on it from random weights, with
 * the product's own engine. Interrupted or sliced (`--minutes`), the same command goes on where it ended.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openEngine } from '../engine/open.ts';
import type { JobSample } from '../trainer/protocol.ts';
import { drawImageFolder, picturePath } from './draw.ts';
import { pretrainNetwork, untrainedNetwork } from './pretrain-network.ts';
import { recipe as bundled, type Recipe, sampleFiles } from './recipe.ts';
import { kinship, sourceSpecies } from './species.ts';
import { writeSourceNetwork } from './write-source-network.ts';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: String(bundled.steps) },
    minutes: { type: 'string', default: 'Infinity' },
    folder: { type: 'string', default: fileURLToPath(new URL('../../.cotune/pretrain', import.meta.url)) },
  },
});
const recipe: Recipe = { ...bundled, steps: Number(values.steps) };
const pictures = join(values.folder, 'pictures');

await mkdir(values.folder, { recursive: true });
await drawSources();
const engine = await openEngine('cpu');
const network = untrainedNetwork(recipe, sourceSpecies.length);
const started = performance.now();
let shown = started;
const state = await pretrainNetwork(engine, {
  recipe,
  network,
  samples: await samplesOf('train'),
  cacheFolder: join(values.folder, 'cache'),
  checkpoint: join(values.folder, 'checkpoint.safetensors'),
  slice: Number(values.minutes) * 60_000,
  onStep(step, loss, accuracy) {
    if (performance.now() - shown < 5000 && step !== recipe.steps) return;
    shown = performance.now();
    const took = ((shown - started) / 1000).toFixed(0);
    console.error(
      `step ${step} of ${recipe.steps}, ${took} s: loss ${loss.toFixed(3)}, accuracy ${accuracy.toFixed(2)}`,
    );
  },
});
if (state) {
  const accuracy = await writeSourceNetwork(engine, {
    recipe,
    network,
    state,
    val: await samplesOf('val'),
    test: await samplesOf('test'),
    cacheFolder: join(values.folder, 'cache'),
  });
  await writeFile(sampleFiles.classes, sourceSpecies.map(({ name }) => `${name}\n`).join(''));
  await writeFile(sampleFiles.kinship, `${JSON.stringify(kinship, null, 2)}\n`);
  console.log(`${sampleFiles.weights}: accuracy ${accuracy.toFixed(4)} on held-out source pictures`);
} else {
  console.error('The slice is over: run the same command again to go on.');
}
await engine.dispose();

/** Draws the source set once; the stamp says that it was drawn whole. */
async function drawSources(): Promise<void> {
  const stamp = join(values.folder, 'pictures.json');
  const plan = { seed: recipe.seed, counts: recipe.counts };
  const drawn = await readFile(stamp, 'utf8').catch(() => '');
  if (drawn === JSON.stringify(plan)) return;
  console.error('Drawing the source set…');
  await drawImageFolder(pictures, { species: sourceSpecies, ...plan });
  await writeFile(stamp, JSON.stringify(plan));
}

/** One split of the source set, labels in the order of the species. */
async function samplesOf(split: keyof Recipe['counts']): Promise<JobSample[]> {
  const samples: JobSample[] = [];
  for (const [label, species] of sourceSpecies.entries())
    for (let index = 0; index < recipe.counts[split]; index++) {
      const path = join(pictures, picturePath(split, species, index));
      const hash = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      samples.push({ id: samples.length, path, hash, label });
    }
  return samples;
}
