/** How the bundled source network is made: everything that decides its numbers, and where it ends up. */
import { fileURLToPath } from 'node:url';
import type { Preprocessing } from '../../src-shared/domain.ts';

const resource = (name: string) => fileURLToPath(new URL(`../../resources/sample/${name}`, import.meta.url));

/** The files of the bundled sample. */
export const sampleFiles = {
  weights: resource('source-network.safetensors'),
  classes: resource('source-classes.txt'),
  kinship: resource('kinship.json'),
  readme: resource('README.md'),
};

export const preprocessing: Preprocessing = {
  inputSize: 64,
  resizeShorter: 72,
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
};

export interface Recipe {
  architecture: 'mobilenet_v2';
  padding: 'symmetric';
  width: number;
  batchNormEpsilon: number;
  /** Decides the drawings, the initial weights and the order of the batches. */
  seed: number;
  /** Pictures per category: `val` fits the temperature, `test` measures the accuracy. */
  counts: { train: number; val: number; test: number };
  steps: number;
  batch: number;
  learningRate: number;
  warmupSteps: number;
  momentum: number;
  weightDecay: number;
}

export const recipe: Recipe = {
  architecture: 'mobilenet_v2',
  padding: 'symmetric',
  width: 0.5,
  batchNormEpsilon: 1e-5,
  seed: 7,
  counts: { train: 160, val: 20, test: 20 },
  steps: 2600,
  batch: 32,
  learningRate: 0.05,
  warmupSteps: 100,
  momentum: 0.9,
  weightDecay: 1e-4,
};

/** Learning rate of a step: linear warm-up, then half a cosine down to 0 (Loshchilov & Hutter, «SGDR», ICLR 2017). */
export const learningRateAt = ({ learningRate, warmupSteps, steps }: Recipe, step: number): number =>
  learningRate * Math.min(1, (step + 1) / warmupSteps) * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
