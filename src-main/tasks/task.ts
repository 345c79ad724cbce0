import type { Split, SplitMetrics } from '../../src-shared/domain.ts';
import type { NetworkFile } from '../backbones/network-file.ts';
import type { TextHead } from '../backbones/networks/bert.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import type { SourceOutput } from '../trainer/content-keys.ts';
import type { LabeledOutputs } from '../trainer/labeled-outputs.ts';
import type { AnyModel, FromTrainer, JobSample, PredictedText, TrainJob } from '../trainer/protocol.ts';
import type { HeadChoice, Network } from '../transfer/network.ts';
import type { BatchShape, StepInput } from '../transfer/step-input.ts';
import type { FrozenPrefix, TrainingOptions } from '../transfer/step-plan.ts';
import type { ChosenTerm, SingleRows } from '../transfer/term.ts';

/**
 * What a task does where it trains: what a batch holds, what a step makes of it, what a network predicts and what that is worth. What
 * every side knows of it is in `src-shared/tasks`.
 */
export interface Task {
  /** What a compiled step is fed, and which rows count. */
  input: StepInput;
  /** What the new head of a network of texts reads. */
  head?: TextHead;
  /** The pre-trained network as `terms` change it, about to get a head for such classes. */
  openSource(
    model: AnyModel,
    classNames: readonly string[],
    terms?: readonly ChosenTerm[],
  ): { file: NetworkFile; network: Network };
  /** A trained network as its file holds it. */
  openTrained(path: string, model: AnyModel): Trained;
  /** Writes backbone and target head as a network of its own. */
  writeTrained(
    path: string,
    network: Network,
    weights: Arrays,
    job: Pick<TrainJob, 'model' | 'config' | 'classNames'>,
  ): void;
  /** The label of every row of some samples. */
  labelsOf(samples: readonly JobSample[], classNames: readonly string[]): number[];
  /** Single rows of the training samples, by their places among the labels. */
  openRows(places: readonly number[], job: EvaluatedJob & Pick<TrainJob, 'samples'>): Promise<SingleRows>;
  /** Opens what a run trains on. */
  openTraining(run: OpenedRun): Promise<TrainingData>;
  /** What a trained network predicts of every sample of some splits that can be used. `tested`: as a run is tested in the end. */
  evaluate<S extends Split>(
    engine: Engine,
    trained: Trained,
    samples: Record<S, JobSample[]>,
    job: EvaluatedJob,
    tested?: boolean,
    onBatch?: (done: number) => void,
  ): Promise<Record<S, Evaluated>>;
  /** What a trained network says of texts that somebody typed; absent where samples are none. */
  predictTexts?(
    engine: Engine,
    trained: Trained,
    model: AnyModel,
    texts: readonly string[],
  ): Promise<PredictedText[]>;
  /**
   * What the pre-trained network says of the rows of training and validation samples: its source head, of rows with their categories,
   * with features behind where they are asked for, alone where it has no source head; or features, of rows with their labels.
   */
  outputs(
    pretrained: { engine: Engine; network: Network; file: NetworkFile },
    job: Pick<TrainJob, 'model' | 'samples' | 'cacheFolder' | 'classNames'> &
      Pick<TrainJob['config'], 'precision'> & {
        /** Side of the square pictures; the network's own where it is left out. */
        size?: number;
        /** By which what a new head has besides is drawn. */
        seed?: number;
        unusable: UnusableImages;
      },
    output: SourceOutput,
    report: (message: FromTrainer) => void,
    signal: AbortSignal,
  ): Promise<Record<'train' | 'val', LabeledOutputs>>;
}

/** A network with the weights to evaluate, and the head to read. */
export interface Trained {
  network: Network;
  weights: Arrays;
  head: HeadChoice;
}

export type EvaluatedJob = Pick<TrainJob, 'model' | 'config' | 'cacheFolder' | 'classNames'> & {
  unusable: UnusableImages;
  /** Whether the backbone is the pre-trained one still: its features are then kept as that one's. */
  keepsBackbone?: boolean;
};

/** A run with everything that its batches are made by. */
export interface OpenedRun {
  job: TrainJob;
  engine: Engine;
  network: Network;
  options: TrainingOptions;
  unusable: UnusableImages;
  /** The pre-trained weights. */
  weights(): Arrays;
  /** Whether it begins, or goes on from a checkpoint. */
  begins: boolean;
  report(message: FromTrainer): void;
  signal: AbortSignal;
}

export interface TrainingData {
  /** What has been made of the samples already, in place of which a step is fed them. */
  prefix: FrozenPrefix | null;
  /** What batches are like: a step is compiled for each, all over one state. */
  shapes: readonly BatchShape[];
  /** What a step of each shape has of a usual one's pixels or pieces, about 1; all have as many where it is left out. */
  work?: readonly number[];
  /** Batches from a first step on, each a function of (seed, step). */
  openFrom(step: number): Promise<Batches>;
}

export interface Batches {
  next(): Promise<{
    /** Which of the shapes it has. */
    shape: number;
    /** Inputs of the step, the caller's to keep. */
    fed: Arrays;
    /** How many rows count. */
    rows: number;
  }>;
  close(): Promise<void>;
}

/** What an evaluation found on one split. */
export interface Evaluated {
  /** Null where there is no sample. */
  metrics: SplitMetrics | null;
  /** How many of the samples, which the network has not learned from, have a label that confident learning doubts. */
  suspects(): number;
  /** The predictions as they are told, in blocks. */
  predictions(split: Split): Iterable<FromTrainer>;
}
