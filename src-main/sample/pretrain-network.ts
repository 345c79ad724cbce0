import { existsSync } from 'node:fs';
import { createBackbone } from '../backbones/index.ts';
import { openTrainingBatches } from '../data/batches.ts';
import type { Arrays, Engine, Program } from '../engine/engine.ts';
import { readSafetensorsHeader, readTensors, writeSafetensors } from '../formats/safetensors.ts';
import type { JobSample } from '../trainer/protocol.ts';
import { optimizerOf } from '../transfer/catalog.ts';
import { initialState } from '../transfer/initial-state.ts';
import type { Network } from '../transfer/network.ts';
import { trainingProgram } from '../transfer/training-program.ts';
import { untrainedWeights } from '../transfer/untrained-weights.ts';
import { dice } from './dice.ts';
import { learningRateAt, preprocessing, type Recipe } from './recipe.ts';

/** The network to pre-train: its source categories sit behind the target head, since that is what is trained. */
export const untrainedNetwork = (recipe: Recipe, classes: number): Network => ({
  backbone: createBackbone(recipe),
  batchNormEpsilon: recipe.batchNormEpsilon,
  sourceClasses: classes,
  targetClasses: classes,
});

export interface PretrainOptions {
  recipe: Recipe;
  network: Network;
  samples: JobSample[];
  cacheFolder: string;
  /** Where the state goes at the end of a slice; with it, the next call goes on as if there had been no break. */
  checkpoint: string;
  /** Milliseconds after which a slice ends, with the step that is under way then. */
  slice: number;
  onStep(step: number, loss: number, accuracy: number): void;
}

/**
 * Trains from random weights to the recipe's last step, with plain cross-entropy over the source categories.
 * Returns the program's whole state, or null where the slice ended before the last step.
 */
export async function pretrainNetwork(engine: Engine, options: PretrainOptions): Promise<Arrays | null> {
  const { recipe, network, samples, cacheFolder, checkpoint, slice, onStep } = options;
  const { batch, steps, seed, momentum, weightDecay } = recipe;
  const size = preprocessing.inputSize;
  const program = trainingProgram(network, {
    batch,
    size,
    optimizer: optimizerOf({ name: 'sgd', momentum, weightDecay }),
    headLearningRateMultiplier: 1,
  });
  const executable = await engine.compile(program);
  const normalsOf = (tensor: string) => {
    const throws = dice('weights', seed, tensor);
    return () => throws.normal(1);
  };
  let { step, state } = readCheckpoint(checkpoint, recipe, program) ?? {
    step: 0,
    state: initialState(program, network, untrainedWeights(network.backbone.tensors, normalsOf), seed),
  };
  await executable.load(state);
  const batches = await openTrainingBatches({
    samples,
    batch,
    size,
    preprocessing,
    seed,
    startStep: step,
    steps,
    cacheFolder,
  });
  const end = performance.now() + slice;
  try {
    while (step < steps) {
      const { images, labels } = await batches.next();
      const rate = Float32Array.of(learningRateAt(recipe, step));
      const { loss, correct } = await executable.run({ images, labels, learning_rate: rate });
      onStep(++step, loss[0], correct[0] / batch);
      if (performance.now() >= end) break;
    }
    state = await executable.read();
  } finally {
    await batches.close();
    await executable.dispose();
  }
  writeCheckpoint(checkpoint, recipe, program, { step, state });
  return step === steps ? state : null;
}

type Progress = { step: number; state: Arrays };

function writeCheckpoint(path: string, recipe: Recipe, program: Program, { step, state }: Progress): void {
  const tensors = Object.entries(program.state).map(
    ([name, { shape }]) => [name, { shape, values: state[name] as Float32Array }] as const,
  );
  writeSafetensors(
    path,
    tensors.map(([name, tensor]) => [name, tensor]),
    { recipe: JSON.stringify(recipe), step: String(step) },
  );
}

/** Null where there is none, or one of another recipe. */
function readCheckpoint(path: string, recipe: Recipe, program: Program): Progress | null {
  if (!existsSync(path)) return null;
  const header = readSafetensorsHeader(path);
  if (header.metadata.recipe !== JSON.stringify(recipe)) return null;
  return {
    step: Number(header.metadata.step),
    state: Object.fromEntries(readTensors(header, Object.keys(program.state))),
  };
}
