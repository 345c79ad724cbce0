/** What `cotune bench` is asked, and what it answers: the answers are its `--json` documents as they are. */
import { z } from 'zod';
import { EngineChoice, type GridPoint, Side } from './domain.ts';
import type { Spread } from './spread.ts';

const count = (most: number) => z.number().int().min(1).max(most);

const steps = {
  /** An architecture, with random weights, or the name of a registered network. */
  model: z.string().min(1),
  batch: count(4096),
  /** Side of the square images in pixels, or pieces of each text; the usual one where it is left out. */
  size: Side.optional(),
  /** Steps that are measured, after the warm-up. */
  steps: count(100_000),
  engine: EngineChoice,
  /** Whether the time of every operator is wanted. */
  profile: z.boolean(),
};

export const BenchRequest = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('train'),
    ...steps,
    /** Stages of the backbone that are not trained, and the stem with them; 0 trains everything. */
    frozen: z.number().int().min(0).max(4),
  }),
  z.strictObject({ what: z.literal('infer'), ...steps }),
  z.strictObject({
    what: z.literal('relationship'),
    samples: count(1_000_000),
    sources: count(100_000),
    targets: count(100_000),
    rounds: count(1000),
  }),
  z.strictObject({
    what: z.literal('data'),
    dataset: z.string().min(1),
    size: Side,
    batch: count(4096),
    /** Batches of a round. */
    steps: count(10_000),
  }),
  z.strictObject({
    what: z.literal('store'),
    /** Training steps of a run, each with its values. */
    steps: count(1_000_000),
    /** Images that a run is tested on. */
    samples: count(1_000_000),
    targets: count(100_000),
    rounds: count(100),
  }),
]);
export type BenchRequest = z.infer<typeof BenchRequest>;

/** Time of all nodes of one operator. */
export interface OperatorTime {
  operator: string;
  /** Nodes run in a step. */
  count: number;
  /** Milliseconds of a step. */
  ms: number;
  /** Share of all operators' time. */
  share: number;
}

export interface StepBench {
  bench: 'train' | 'infer';
  model: string;
  architecture: string;
  takes: 'images' | 'texts';
  batch: number;
  /** Side of the square images in pixels, or pieces of each text. */
  size: number;
  steps: number;
  warmup_steps: number;
  frozen: number;
  engine: { name: string; device: string; versions: Record<string, string> };
  /** Seconds. */
  step_s: Spread;
  /** Or texts. */
  images_per_s: Spread;
  /** Operations of one step in billions, counted from the program's trace (see engine/flops.ts). */
  gflop_per_step: number;
  gflop_per_s: Spread;
  /** The fastest of a few large matrix products on the same engine, in the same process. */
  product_peak_gflop_per_s: number;
  /** `gflop_per_s` over that peak. */
  share_of_peak: Spread;
  compile_s: { trace: number; lower: number; session: number; total: number };
  /** The first warm-up step, in which the engine may still prepare itself. */
  first_step_s: number;
  /** The process's resident memory: its highest before the program was compiled, and after the last step. */
  memory: { before_compile_bytes: number; peak_bytes: number; note: string | null };
  /** Time by operator, longest first; null where it was not asked for or the engine does not tell. */
  operators: OperatorTime[] | null;
  operators_note: string | null;
}

export interface RelationshipBench {
  bench: 'relationship';
  samples: number;
  sources: number;
  targets: number;
  rounds: number;
  /** Seconds for the logistic regressions of all values of C. */
  grid_s: Spread;
  /** Seconds for the whole relationship: probabilities, grid, the chosen C solved tightly, calibration, Bayes. */
  whole_s: Spread;
  C: number;
  val_accuracy: number;
  grid: GridPoint[];
}

export interface DataBench {
  bench: 'data';
  dataset: string;
  size: number;
  batch: number;
  steps: number;
  rounds: number;
  /** Distinct images. */
  images: number;
  /** From files to decoded images in an empty cache, once. */
  cold_images_per_s: number;
  /** Training batches made from the cache, taken as fast as they come. */
  warm_images_per_s: Spread;
  /** Processor time of one augmented image in milliseconds, reading it from the cache included. */
  cpu_ms_per_image: number;
  /** Share of one core that augmentation takes for every 100 images a second of training. */
  core_share_per_100_images_per_s: number;
}

export interface StoreBench {
  bench: 'store';
  steps: number;
  samples: number;
  targets: number;
  rounds: number;
  /** Values of curves written, a transaction for each step. */
  metric_rows_per_s: Spread;
  /** Images' probabilities written as a run's are, a transaction for each block. */
  prediction_rows_per_s: Spread;
  /** Seconds that a block keeps the service. */
  prediction_turn_s: Spread;
  /** Seconds to read the list of runs, and a run's curves and predictions, while another connection writes. */
  history_read_s: Spread;
  /** What that connection wrote meanwhile. */
  metric_rows_per_s_while_read: number;
}

/** What the parts of a run take on this machine, in exactly its configuration, from a short one. Seconds. */
export interface RunBench {
  bench: 'run';
  engine: { name: string; device: string; versions: Record<string, string> };
  /** A training step, with what it waits for images. */
  step_s: number;
  /** Decoding an image for the first time. */
  decode_s: number;
  /** Evaluating an image that is decoded, and what an evaluation takes besides. */
  evaluate_s: number;
  evaluate_start_s: number;
  /** What is prepared before training: for each image of the training and validation splits, and besides. */
  prepare_s: number;
  prepare_start_s: number;
  /** What a run takes besides: compiling, the first step, writing weights. */
  fixed_s: number;
  /** The process's highest resident memory. */
  peak_bytes: number;
}

/** What a trainer process measures for `cotune bench`. */
export type TrainerBench = StepBench | RelationshipBench | DataBench;
export type BenchResult = TrainerBench | StoreBench;
