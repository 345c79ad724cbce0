/** Networks of made-up weights, written as a run writes what it trained, and what PyTorch makes of such files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { tfShape } from '../../src-main/backbones/layouts.ts';
import type { Arrays } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { softmaxRows } from '../../src-main/trainer/predict-logits.ts';
import { writeTrainedWeights } from '../../src-main/trainer/trained-weights.ts';
import { evaluationProgram } from '../../src-main/transfer/evaluation-program.ts';
import { evaluationTensors, type Network } from '../../src-main/transfer/network.ts';
import { usualConfig } from '../usual-config.ts';
import { random } from './parity.ts';

const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('./torch-probabilities.py', import.meta.url));
const classes = 5;
const batch = 2;

export const hasTorchvision = (): boolean => spawnSync(python, ['-c', 'import torchvision']).status === 0;

const sideOf = (architecture: string): number => (architecture === 'alexnet' ? 96 : 64);

/** Numbers of which none is what another is, in sizes that keep activations apart through many layers. */
function weightsOf(network: Network): Arrays {
  const { next } = random(5);
  return Object.fromEntries(
    evaluationTensors(network, 'target').map((tensor) => {
      const { name, kind, shape } = tensor;
      const fanIn = shape.slice(1).reduce((product, extent) => product * extent, 1);
      const [middle, spread] =
        kind === 'conv' || kind === 'depthwise' || kind === 'linear'
          ? [0, Math.sqrt(6 / fanIn)]
          : /(weight|running_var|layer_scale)$/.test(name)
            ? [0.7, 0.2]
            : [0.1, 0.2];
      const length = tfShape(tensor).reduce((product, extent) => product * extent, 1);
      return [name, Float32Array.from({ length }, () => middle + spread * (2 * next() - 1))];
    }),
  );
}

/** A written network and its probabilities [2, 5] of two images. */
export interface Exported {
  /** What the network is fed, [2, side, side, 3]. */
  images: Float32Array;
  probabilities: Float32Array;
  job: {
    weights: string;
    images: string;
    out: string;
    shape: number[];
    architecture: string;
    classes: number;
  };
}

/** Writes a network into a folder as a run does what it trained, and two images. Its preprocessing changes nothing. */
export async function exported(architecture: string, folder: string): Promise<Exported> {
  const side = sideOf(architecture);
  const grid = architecture.startsWith('vit_') ? { grid: side / 16 } : {};
  const backbone = createBackbone({ architecture, padding: 'symmetric', width: 1, ...grid });
  const { epsilon } = backbone.batchNorm;
  const network = { backbone, batchNormEpsilon: epsilon, sourceClasses: classes, targetClasses: classes };
  const constants = weightsOf(network);
  const { next } = random(3);
  // Waves, of other lengths in each image: noise is the same to a network that takes a mean over all places.
  const images = Float32Array.from({ length: batch * side * side * 3 }, (_, index) => {
    const [image, place] = [Math.floor(index / (side * side * 3)), index % (side * side * 3)];
    return Math.sin(place / [50, 400][image]) + 0.5 * next();
  });

  const engine = await openEngine('cpu');
  const program = evaluationProgram(network, 'target', batch, side);
  const executable = await engine.compile(program, { constants });
  const { logits } = await executable.run({ images });
  await engine.dispose();
  // Probabilities that are all 0 or 1 would tell nothing: scores grow with the head, and are brought into a range.
  const largest = (logits as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scaled = (values: ArrayLike<number>) => Float32Array.from(values, (value) => (3 * value) / largest);
  for (const name of Object.keys(constants))
    if (name.startsWith('target.')) constants[name] = scaled(constants[name]);

  const path = (kind: string) => join(folder, `${architecture}.${kind}`);
  writeFileSync(path('images'), new Uint8Array(images.buffer));
  writeTrainedWeights(path('safetensors'), network, constants, {
    config: { ...usualConfig, size: side },
    classNames: Array.from({ length: classes }, (_, index) => `class ${index}`),
    model: {
      architecture,
      padding: 'symmetric',
      path: '',
      hash: '',
      batchNormEpsilon: epsilon,
      temperature: null,
      sourceClasses: classes,
      preprocessing: { inputSize: side, resizeShorter: side, mean: [0, 0, 0], std: [1, 1, 1] },
    },
  });
  return {
    images,
    probabilities: softmaxRows(scaled(logits), classes),
    job: {
      architecture,
      classes,
      weights: path('safetensors'),
      images: path('images'),
      out: path('out'),
      shape: [batch, side, side, 3],
    },
  };
}

/** The same images' probabilities by PyTorch, of networks in the order of their jobs. Throws where a file is not the network's. */
export function torchProbabilities(jobs: readonly Exported['job'][]): Float32Array[] {
  execFileSync(python, [script], { input: JSON.stringify(jobs) });
  return jobs.map(({ out }) => {
    const bytes = readFileSync(out);
    return new Float32Array(bytes.buffer, bytes.byteOffset, batch * classes);
  });
}

/** The largest difference of a probability. */
export const apart = (some: Float32Array, others: Float32Array): number =>
  some.reduce((most, value, index) => Math.max(most, Math.abs(others[index] - value)), 0);

/** How far apart the probabilities of the two images are. */
export const imagesApart = (probabilities: Float32Array): number =>
  apart(probabilities.subarray(0, classes), probabilities.subarray(classes));
