import { normalOf, randomOf } from '../data/random.ts';
import type { Arrays, Compiled, Engine, Specs } from '../engine/engine.ts';
import { optimizerOf, termsOf } from '../transfer/catalog.ts';
import { drawnMasks } from '../transfer/dropping.ts';
import type { Network } from '../transfer/network.ts';
import { placesValues } from '../transfer/places.ts';
import { untrainedWeights } from '../transfer/untrained-weights.ts';
import { withNorm } from '../transfer/updates.ts';
import { type Bucket, batchAt, bucketsOf } from './length-buckets.ts';
import { maskPieces, mostMasked } from './masking.ts';
import { maskedPieces } from './objective.ts';
import type { Piece, Tokenizer } from './tokenizer.ts';
import { textTrainingStep } from './training-step.ts';

/** What a pre-training follows from, beside its texts and its network. */
export interface PretrainingPlan {
  seed: number;
  steps: number;
  /** Steps of linear warm-up; the rate then falls linearly to zero at the end. */
  warmup: number;
  learningRate: number;
  weightDecay: number;
  /** Norm of the gradient from which on it is scaled down. */
  clip: number;
  /** Most pieces of a text; longer ones are cut into several. */
  longest: number;
  /** Pieces of a batch, padding included. */
  pieces: number;
  /** Whether values are dropped while training, at the network's own rate. */
  drops: boolean;
}

/** Factor on the learning rate at a step, from 0: the first one has a rate already, the last one still. */
export function rateAt({ steps, warmup, learningRate }: PretrainingPlan, step: number): number {
  if (step < warmup) return (learningRate * (step + 1)) / warmup;
  return (learningRate * (steps - step)) / Math.max(1, steps - warmup);
}

/** The tensors of BERT before training: normal with deviation 0.02, as in its own code; norms the identity, biases zero. */
export const untrainedBert = ({ backbone, sourceClasses }: Network, seed: number): Arrays =>
  untrainedWeights(
    [...backbone.tensors, ...backbone.headTensors(backbone.head, sourceClasses)],
    (tensor) => {
      const random = randomOf(seed, `weights of ${tensor}`);
      return () => normalOf(random);
    },
    0.02,
  );

export interface Pretraining {
  /** Everything that is carried from step to step. */
  state: Specs;
  /** Texts of each length that there is a program for. */
  buckets: readonly Bucket[];
  /** Makes the step of that number, from 0: loss, norm of the gradient, and pieces of the batch, padding included. */
  run(step: number): Promise<{ loss: number; norm: number; pieces: number }>;
  /** Takes up a state that `read` gave; what is not given is zero, as at the beginning. */
  load(state: Arrays): Promise<void>;
  read(): Promise<Arrays>;
  dispose(): Promise<void>;
}

/**
 * Masked language modelling over texts in pieces: one compiled step for each length, all over one state. Every step follows from the
 * plan, the texts and its number alone.
 */
export async function openPretraining(
  engine: Engine,
  network: Network,
  tokenizer: Tokenizer,
  texts: readonly (readonly Piece[])[],
  plan: PretrainingPlan,
): Promise<Pretraining> {
  const { seed, longest, clip, weightDecay, drops } = plan;
  const room = longest - 2;
  const parts = texts.flatMap((text) =>
    Array.from({ length: Math.ceil(text.length / room) }, (_, at) => text.slice(at * room, (at + 1) * room)),
  );
  const counts = parts.map((part) => part.length + 2);
  const buckets = bucketsOf(counts, longest, (length) => Math.max(1, Math.round(plan.pieces / length)));
  const programs = new Map<Bucket, Compiled>();
  let state: Specs = {};
  for (const bucket of buckets) {
    const { batch, length } = bucket;
    const program = textTrainingStep(network, {
      batch,
      length,
      drops,
      objective: maskedPieces(mostMasked(batch * length)),
      optimizer: optimizerOf({ name: 'adamw', weightDecay }),
      terms: termsOf([], [{ name: 'gradient-clipping', norm: clip }]),
    });
    const [first] = programs.values();
    programs.set(bucket, await engine.compile(program, { over: first }));
    state = program.state;
  }
  const [first] = programs.values();

  return {
    state,
    buckets,
    async run(step) {
      const { bucket, texts: chosen } = batchAt(buckets, seed, step);
      const { batch, length } = bucket;
      const pieces = new Int32Array(batch * length);
      const present = new Float32Array(batch * length);
      for (const [row, text] of chosen.entries()) {
        const one = tokenizer.encode([parts[text]], length);
        pieces.set(one.pieces, row * length);
        present.set(one.present, row * length);
      }
      const { places, labels } = maskPieces(pieces, tokenizer, randomOf(seed, 'masking', step));
      const outputs = await programs.get(bucket)!.run({
        pieces,
        present,
        ...placesValues('masked', mostMasked(batch * length), places, labels),
        ...(drops
          ? drawnMasks(network.backbone.masks, { batch, size: length }, randomOf(seed, 'dropout', step))
          : {}),
        learning_rate: Float32Array.of(rateAt(plan, step)),
        step: Float32Array.of(step + 1),
      });
      const { loss, gradient_norm: norm } = withNorm(outputs);
      return { loss: loss[0], norm: norm[0], pieces: batch * length };
    },
    load(given) {
      const zeros = (shape: number[]) => new Float32Array(shape.reduce((a, b) => a * b, 1));
      const whole = Object.entries(state).map(([name, { shape }]) => [name, given[name] ?? zeros(shape)]);
      return first.load(Object.fromEntries(whole));
    },
    read: () => first.read(),
    async dispose() {
      for (const program of programs.values()) await program.dispose();
    },
  };
}
