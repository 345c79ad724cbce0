import { writeFile } from 'node:fs/promises';
import { toTorch } from '../backbones/layouts.ts';
import { toMetadata } from '../backbones/model-metadata.ts';
import { openNetworkFile, readNetwork } from '../backbones/network-file.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { predictLogits } from '../trainer/predict-logits.ts';
import type { JobSample } from '../trainer/protocol.ts';
import { type Network, targetHead, targetHeadTensors } from '../transfer/network.ts';
import { fitTemperature } from '../transfer/temperature.ts';
import { preprocessing, type Recipe, sampleFiles } from './recipe.ts';
import { sourceSpecies } from './species.ts';

export interface TrainedSource {
  recipe: Recipe;
  network: Network;
  /** State of the training program after its last step. */
  state: Arrays;
  val: JobSample[];
  test: JobSample[];
  cacheFolder: string;
}

/**
 * Writes the bundled weights as float16 with the temperature fitted on `val`, and the README beside them with what they
 * reach. Returns the accuracy on `test`. All figures are those of the written file, after rounding.
 */
export async function writeSourceNetwork(engine: Engine, trained: TrainedSource): Promise<number> {
  const { recipe, network, val, test, cacheFolder } = trained;
  writeWeights(trained, null, {});
  const file = openNetworkFile(sampleFiles.weights, recipe.architecture, recipe.padding);
  const weights = readNetwork(file, file.tensors);
  const images = { size: preprocessing.inputSize, preprocessing, cacheFolder };
  const logits = async (samples: JobSample[]) => ({
    data: (await predictLogits(engine, network, 'source', weights, samples, images)).logits,
    rows: samples.length,
    columns: network.sourceClasses,
  });
  const labels = (samples: JobSample[]) => Int32Array.from(samples, ({ label }) => label);
  const temperature = fitTemperature(await logits(val), labels(val));
  const { data, columns } = await logits(test);
  const right = test.filter(({ label }, i) => {
    const row = data.subarray(i * columns, (i + 1) * columns);
    return row.indexOf(Math.max(...row)) === label;
  });
  const accuracy = right.length / test.length;
  const { bytes } = writeWeights(trained, Number(temperature.toFixed(4)), { accuracy: String(accuracy) });
  await writeFile(sampleFiles.readme, readme(recipe, { accuracy, temperature, bytes, test: test.length }));
  return accuracy;
}

function writeWeights(
  { recipe, network, state }: TrainedSource,
  temperature: number | null,
  more: Record<string, string>,
) {
  const tensors = [...network.backbone.tensors, ...targetHeadTensors(network)];
  const metadata = toMetadata({
    architecture: recipe.architecture,
    padding: recipe.padding,
    batchNormEpsilon: recipe.batchNormEpsilon,
    preprocessing,
    temperature,
    classNames: sourceSpecies.map(({ name }) => name),
    origin: `npm run sample:pretrain (seed ${recipe.seed}, ${recipe.steps} steps)`,
  });
  return writeSafetensors(
    sampleFiles.weights,
    tensors.map((tensor) => [
      tensor.name.replace(`${targetHead}.`, `${network.backbone.head}.`),
      { shape: tensor.shape, values: toTorch(tensor, state[tensor.name] as Float32Array), dtype: 'F16' },
    ]),
    { ...metadata, width: String(recipe.width), source_classes: String(sourceSpecies.length), ...more },
  );
}

const readme = (
  recipe: Recipe,
  found: { accuracy: number; temperature: number; bytes: number; test: number },
): string => `# The bundled sample

A small network to transfer from, and what is known about it. Written by \`npm run sample:pretrain\`, which draws the
source set and pre-trains the network with this project's own engine, all from seed ${recipe.seed}.

| file | what |
|---|---|
| \`source-network.safetensors\` | MobileNetV2 of width ${recipe.width} for ${preprocessing.inputSize} px images, float16, ${(found.bytes / 1e6).toFixed(2)} MB; its metadata hold architecture, preprocessing, class names and temperature |
| \`source-classes.txt\` | its ${sourceSpecies.length} source categories, one per line, in the order of the head's outputs |
| \`kinship.json\` | for every target category, the source categories that share its form, and its coat |

Source accuracy: **${(100 * found.accuracy).toFixed(1)} %** of ${found.test} held-out pictures (${recipe.counts.test} per category), after ${recipe.steps} steps of batch
${recipe.batch} on ${recipe.counts.train} pictures per category. Temperature ${found.temperature.toFixed(3)}, fitted on ${recipe.counts.val} other pictures per category.

The pictures are drawn by \`src-main/sample/\`: a species is a form (the noun) in a coat (the adjective). Source species
share forms and coats with each other; target species are crosses that the network never saw, so their kin are known.
`;
