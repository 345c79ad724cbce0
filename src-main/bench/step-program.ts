import { readNetwork } from '../backbones/network-file.ts';
import { partsUntil } from '../backbones/parts.ts';
import { randomOf } from '../data/random.ts';
import type { Arrays, Program } from '../engine/engine.ts';
import { openSource } from '../trainer/open-source.ts';
import { evaluationBatch } from '../trainer/predict-logits.ts';
import type { JobModel, StepWork } from '../trainer/protocol.ts';
import { optimizerOf, termsOf } from '../transfer/catalog.ts';
import { evaluationProgram } from '../transfer/evaluation-program.ts';
import { initialState } from '../transfer/initial-state.ts';
import type { Network } from '../transfer/network.ts';
import { trainingProgram } from '../transfer/training-program.ts';
import { benchClasses, plainNetwork, randomWeights } from './random-network.ts';

/** A step to measure: its program, what it is compiled and loaded with, and the one batch that each of its passes is fed. */
export interface StepProgram {
  architecture: string;
  program: Program;
  constants(): Arrays;
  state(): Arrays;
  batch: Arrays;
  /** How often the program runs in a step. */
  passes: number;
}

/**
 * The step as the product takes it of images: training by plain fine-tuning for 1,000 classes with momentum and weight decay, or
 * the source head's logits in evaluation mode, with the weights as constants and so many images a pass as in evaluations.
 */
export function stepProgram(work: StepWork, source: string | JobModel): StepProgram {
  const { what, batch: count, size } = work;
  const { architecture, network, weights } = openWork(source);
  if (what === 'infer') {
    const passes = Math.ceil(count / evaluationBatch);
    const atOnce = Math.ceil(count / passes);
    const program = evaluationProgram(network, 'source', atOnce, size);
    const { images } = syntheticBatch(atOnce, size);
    return { architecture, program, constants: weights, state: () => ({}), batch: { images }, passes };
  }
  const program = trainingProgram(network, {
    batch: count,
    size,
    optimizer: optimizerOf({ name: 'sgd' }),
    headLearningRateMultiplier: 10,
    terms:
      work.frozen > 0
        ? termsOf([], [{ name: 'frozen-blocks', blocks: partsUntil(network.backbone, work.frozen) }])
        : [],
  });
  const state = () => initialState(program, network, weights(), 0);
  const batch = syntheticBatch(count, size);
  return { architecture, program, constants: () => ({}), state, batch, passes: 1 };
}

/** An architecture gets random weights, a registered network has its own. */
function openWork(source: string | JobModel): {
  architecture: string;
  network: Network;
  weights: () => Arrays;
} {
  if (typeof source === 'string') {
    const network = plainNetwork(source);
    return { architecture: source, network, weights: () => randomWeights(network) };
  }
  const { file, network } = openSource(source, benchClasses);
  return { architecture: source.architecture, network, weights: () => readNetwork(file, file.tensors) };
}

/** Images of values in [-1, 1) and labels, the same at every call. The learning rate is 0: the arithmetic is a step's, and no loss runs away. */
function syntheticBatch(count: number, size: number): Arrays {
  const random = randomOf(0, 'bench batch', count, size);
  return {
    images: Float32Array.from({ length: count * size * size * 3 }, () => 2 * random() - 1),
    labels: Int32Array.from({ length: count }, () => Math.floor(random() * benchClasses)),
    learning_rate: Float32Array.of(0),
  };
}
