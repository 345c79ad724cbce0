import { readNetwork } from '../backbones/network-file.ts';
import { partsUntil } from '../backbones/parts.ts';
import { randomOf } from '../data/random.ts';
import type { Arrays, Program } from '../engine/engine.ts';
import { tokenClassification } from '../tasks/token-classification.ts';
import { textSpecs } from '../text/training-step.ts';
import { evaluationBatch } from '../trainer/predict-logits.ts';
import type { StepWork, TextModel } from '../trainer/protocol.ts';
import { optimizerOf, termsOf } from '../transfer/catalog.ts';
import { initialState, newHead } from '../transfer/initial-state.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type Network,
  specsOf,
  targetHead,
} from '../transfer/network.ts';
import { taggedTexts } from '../transfer/step-input.ts';
import { trainingProgram } from '../transfer/training-program.ts';
import type { StepProgram } from './step-program.ts';

/** As CoNLL-2003 has them: nine tags. */
const types = ['LOC', 'MISC', 'ORG', 'PER'];

/**
 * The step as the product takes it of texts: training by plain fine-tuning to tag every piece, with AdamW and clipped gradients, or the
 * tags' scores of every piece in evaluation mode, so many texts a pass as in evaluations. Texts are as long as `size`, without padding.
 */
export function textStepProgram(work: StepWork, model: TextModel): StepProgram {
  const { what, batch: count, size, frozen } = work;
  const { file, network } = tokenClassification.openSource(model, types);
  const weights = (): Arrays => ({ ...newHead(network, 0), ...readNetwork(file, file.tensors) });
  const { architecture } = model;
  if (what === 'infer') {
    const passes = Math.ceil(count / evaluationBatch);
    const shape = { batch: Math.ceil(count / passes), size };
    const { pieces, present } = syntheticTexts(shape, network);
    const program = taggingProgram(network, shape);
    return {
      architecture,
      program,
      constants: weights,
      state: () => ({}),
      batch: { pieces, present },
      passes,
    };
  }
  const shape = { batch: count, size };
  const still = frozen > 0 ? [{ name: 'frozen-blocks', blocks: partsUntil(network.backbone, frozen) }] : [];
  const program = trainingProgram(network, {
    ...shape,
    optimizer: optimizerOf({ name: 'adamw' }),
    headLearningRateMultiplier: 1,
    terms: termsOf([], [{ name: 'gradient-clipping' }, ...still]),
    input: taggedTexts,
  });
  const state = () => initialState(program, network, weights(), 0);
  return {
    architecture,
    program,
    constants: () => ({}),
    state,
    batch: syntheticTexts(shape, network),
    passes: 1,
  };
}

function taggingProgram(network: Network, { batch, size }: { batch: number; size: number }): Program {
  return {
    state: specsOf(evaluationTensors(network, 'target')),
    batch: textSpecs({ batch, length: size }, false),
    step(state, { pieces, present }) {
      const features = network.backbone.forward(pieces, { ...evaluationScope(network, state), present });
      return { state: {}, outputs: { logits: classify(network, features, state, targetHead) } };
    },
  };
}

/** Pieces with a tag each, the same at every call. The learning rate is 0: the arithmetic is a step's, and no loss runs away. */
function syntheticTexts(
  { batch, size }: { batch: number; size: number },
  { sourceClasses, targetClasses }: Network,
): Arrays {
  const random = randomOf(0, 'bench texts', batch, size);
  const drawn = (below: number) =>
    Int32Array.from({ length: batch * size }, () => Math.floor(random() * below));
  const ones = () => new Float32Array(batch * size).fill(1);
  return {
    pieces: drawn(sourceClasses),
    present: ones(),
    labels: drawn(targetClasses),
    counts: ones(),
    learning_rate: Float32Array.of(0),
    step: Float32Array.of(1),
  };
}
