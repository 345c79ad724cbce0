/**
 * What the service and a trainer process say to each other. Structured-clone messages: typed arrays travel as
 * they are. The trainer opens no database; everything it learns goes out through these.
 */
import type { BenchRequest, RunBench, TrainerBench } from '../../src-shared/bench.ts';
import type { ExportCheck, SystemReport } from '../../src-shared/contract.ts';
import type {
  Approach,
  Calibration,
  Phase,
  Preprocessing,
  Run,
  RunConfig,
  RunTiming,
  Split,
  SplitMetrics,
  TemperatureSource,
  TextContent,
  TextInput,
} from '../../src-shared/domain.ts';
import type { ErrorValue } from '../../src-shared/errors.ts';
import type { TaskName } from '../../src-shared/names.ts';
import type { TagDoubt } from '../../src-shared/tagged-evaluation.ts';
import type { ImageSource } from '../data/stored-images.ts';
import type { EngineInfo } from '../engine/engine.ts';

/** One image as a trainer sees it. `hash` keys every cache of what is computed from it. */
export interface JobSample extends ImageSource {
  id: number;
  /** −1 of a text with tags. */
  label: number;
  /** There where it is a text. */
  text?: TextContent;
  /** There where its label is looked at. */
  check?: CheckFacts;
}

/** What a check of labels knows of an image beside its features. */
export interface CheckFacts {
  /** 64-bit difference hash, 16 hex digits. */
  perceptualHash: string;
  /** The same for images that show the same picture; null for one like no other. */
  alike: string | null;
  /** Whether the dataset's training split holds it. */
  trained: boolean;
}

interface Weights {
  /** Absolute path of the safetensors file. */
  path: string;
  hash: string;
  architecture: string;
  padding: 'symmetric' | 'same';
  batchNormEpsilon: number;
  sourceClasses: number;
  temperature: number | null;
  calibration?: Calibration;
}

/** A network of images. */
export interface JobModel extends Weights {
  preprocessing: Preprocessing;
}

/** A network of texts. */
export interface TextModel extends Weights {
  text: TextInput;
  /** Pieces that texts are cut to. */
  longest: number;
}

export type AnyModel = JobModel | TextModel;

/** A relationship matrix, row-major float32 [targets, sources], each row a distribution over source classes. */
export interface JobRelationship {
  approach: Approach;
  sourceTemperature: number;
  temperatureSource: TemperatureSource;
  calibration?: Calibration;
  C: number | null;
  scale: number | null;
  valAccuracy: number | null;
  grid: { C: number; objective: number; val_accuracy: number }[];
  notes: string[];
  /** Rows of the matrix. */
  targets: number;
  matrix: Float32Array;
}

/** Learns a relationship only. */
export interface RelationshipJob {
  kind: 'relationship';
  task: TaskName;
  approach: Approach;
  engine: RunConfig['engine'];
  targetClasses: number;
  /** Names of the target classes, for what is said about them. */
  classNames: string[];
  model: AnyModel;
  samples: Record<Split, JobSample[]>;
  cacheFolder: string;
}

/** Trains one network. `samples` is already split and subset; `relationship` is given where the store has it. */
export interface TrainJob {
  kind: 'train';
  task: TaskName;
  run: number;
  config: RunConfig;
  targetClasses: number;
  /** Names of the target classes, kept with the trained weights. */
  classNames: string[];
  model: AnyModel;
  samples: Record<Split, JobSample[]>;
  relationship: JobRelationship | null;
  /** Trained weights of the run that its method learns from, an absolute path; null where it learns from none. */
  teacher: string | null;
  cacheFolder: string;
  /** Where this attempt's checkpoints and final weights go: no other trainer writes there. */
  runFolder: string;
  /** Checkpoint file to go on from, or null. */
  resumeFrom: string | null;
}

/** Makes one network of the trained networks of other runs, as the configuration's method says. */
export interface AverageJob extends Omit<TrainJob, 'kind' | 'relationship' | 'teacher' | 'resumeFrom'> {
  kind: 'average';
  /** In the order in which the method names them. */
  sources: { run: number; config: RunConfig; weightsPath: string }[];
}

/** Learns a relationship from arrays made elsewhere: absolute paths of .npy files. */
export interface ArraysJob {
  kind: 'relationship-arrays';
  approach: Approach;
  /** Multiplies the source logits (1 / temperature); null where none was given. */
  sourceScale: number | null;
  /** Names of the target classes, where they were given. */
  classNames: string[] | null;
  trainLogits: string;
  trainLabels: string;
  valLogits: string;
  valLabels: string;
}

/** Fits the temperature of a network's source predictions; labels of `samples` are source classes. */
export interface CalibrationJob {
  kind: 'calibration';
  engine: RunConfig['engine'];
  model: JobModel;
  samples: JobSample[];
  cacheFolder: string;
}

/** Scores how well a network suits labelled samples. */
export interface RankJob {
  kind: 'rank';
  task: TaskName;
  engine: RunConfig['engine'];
  model: AnyModel;
  classNames: string[];
  samples: JobSample[];
  cacheFolder: string;
}

export interface CheckSample extends JobSample {
  check: CheckFacts;
}

/** Looks for likely wrong labels and similar images in a labelled dataset. */
export interface CheckJob {
  kind: 'check';
  engine: RunConfig['engine'];
  model: JobModel;
  classNames: string[];
  samples: CheckSample[];
  cacheFolder: string;
}

/** What a check found: samples by their ids, classes by their places. */
export interface CheckResult {
  /** The likeliest first, with the probabilities of the given and of the suggested class by probes that have not seen the image. */
  wrongLabels: {
    sample: number;
    suggested: number;
    givenP: number;
    suggestedP: number;
    score: number;
    /** The most similar training images of either class. */
    nearestGiven: number | null;
    nearestSuggested: number | null;
  }[];
  /** Pairs whose features nearly agree. */
  alike: { sample: number; other: number; cosine: number }[];
  notes: string[];
}

/** Classifies single images with a run's trained weights; the file's metadata says how. */
export interface PredictJob {
  kind: 'predict';
  engine: RunConfig['engine'];
  /** Trained weights as in `TrainResult.weightsPath`. */
  weightsPath: string;
  /** Side of the square crop in pixels: that of the run. */
  size: number;
  /** Absolute paths of images. */
  paths: string[];
  cacheFolder: string;
}

/** The same with texts. */
export interface PredictTextsJob {
  kind: 'predict-texts';
  task: TaskName;
  engine: RunConfig['engine'];
  weightsPath: string;
  /** Pieces that a text is cut to, or divided into. */
  longest: number;
  texts: string[];
  cacheFolder: string;
}

/** Shows where a network looks in images. */
export interface ExplainJob {
  kind: 'explain';
  engine: RunConfig['engine'];
  /** Trained weights, whose file says the rest itself, or a registered network. Its own head is looked through. */
  network: string | JobModel;
  /** Side of the square crop in pixels. */
  size: number;
  /** Absolute paths of images; `hash` where it is known; `overlay`: the PNG to write of the picture with its map over it. */
  images: (Pick<JobSample, 'path' | 'place'> & { hash?: string; overlay?: string })[];
  /** The class to look for; null: in each image the one that is predicted of it. */
  label: number | null;
  /** Whether one map is wanted, the mean of all. */
  mean: boolean;
  cacheFolder: string;
}

/** Makes a network's pooled features of images. */
export interface FeaturesJob {
  kind: 'features';
  engine: RunConfig['engine'];
  /** As an explain job's. */
  network: string | JobModel;
  /** Side of the square crop in pixels. */
  size: number;
  samples: JobSample[];
  cacheFolder: string;
}

/** Writes a run's trained network for use elsewhere. */
export interface ExportJob {
  kind: 'export';
  weightsPath: string;
  format: 'safetensors' | 'onnx';
  size: number;
  /** Absolute path of the file to write. */
  path: string;
  /** Absolute path of what an ONNX file's user has to know. */
  readmePath: string;
}

/** Writes a run's trained network of texts into a folder, with its tokenizer. */
export interface ExportTextsJob {
  kind: 'export-texts';
  task: TaskName;
  weightsPath: string;
  /** As Hugging Face's transformers keep it, or for ONNX Runtime. */
  format: 'safetensors' | 'onnx';
  folder: string;
}

/** Runs an exported network's test vectors again. */
export interface VerifyJob {
  kind: 'verify';
  path: string;
}

/** Lists the engines; in a process of its own, since a broken driver may take it down. */
export interface EnginesJob {
  kind: 'engines';
  cacheFolder: string;
}

/** Steps of one network to measure. */
export interface StepWork {
  what: 'train' | 'infer';
  /** What the network is called in the result. */
  model: string;
  /** An architecture (with random weights) or a registered network. */
  network: string | AnyModel;
  batch: number;
  /** Side of the square pictures in pixels, or pieces of each text. */
  size: number;
  steps: number;
  engine: RunConfig['engine'];
  profile: boolean;
  /** Stages that are not trained. */
  frozen: number;
}

/** Training batches to measure; a cache for them is made inside `cacheFolder`. */
export interface DataWork {
  what: 'data';
  dataset: string;
  samples: JobSample[];
  batch: number;
  size: number;
  steps: number;
  preprocessing: Preprocessing;
  cacheFolder: string;
}

/** A run to measure by a short one, in folders of its own. */
export interface RunWork {
  what: 'run';
  run: Omit<TrainJob, 'kind' | 'run' | 'relationship' | 'teacher' | 'runFolder' | 'resumeFrom'>;
}

/** Measures a part of the program, in a process like that of a run. */
export interface BenchJob {
  kind: 'bench';
  work: StepWork | DataWork | RunWork | Extract<BenchRequest, { what: 'relationship' }>;
}

export type Job =
  | TrainJob
  | AverageJob
  | RelationshipJob
  | CalibrationJob
  | RankJob
  | CheckJob
  | ArraysJob
  | PredictJob
  | PredictTextsJob
  | ExplainJob
  | FeaturesJob
  | ExportJob
  | ExportTextsJob
  | VerifyJob
  | EnginesJob
  | BenchJob;

/**
 * `stop` ends the job, a training run with a checkpoint, and then the trainer. Without a job the trainer leaves silently. `expect` has it
 * load what a job of that kind will need.
 */
export type ToTrainer =
  | { type: 'start'; job: Job }
  | { type: 'expect'; kind: Job['kind'] }
  | { type: 'stop' };

/** Class probabilities of some samples of one split, row-major float32 [samples, targets]: a split comes in blocks, in order. */
export interface Predictions {
  split: Split;
  /** How many samples of the split came before. */
  first: number;
  /** Samples of the split in all. */
  total: number;
  sampleIds: Int32Array;
  probabilities: Float32Array;
}

/** What was predicted of some tagged texts of one split: it comes in blocks, in order. */
export interface TaggedPredictions extends Pick<Predictions, 'split' | 'first' | 'total' | 'sampleIds'> {
  /** A tag for each word, as predicted, and as the text had it: what it is judged by. */
  tags: string[][];
  gold: string[][];
  /** How many entities of each are missed, invented or not as they should be. */
  errors: Int32Array;
  /** Means over its words: probability of the predicted tag, and −ln p(true tag) in nats. */
  confidence: Float64Array;
  loss: Float64Array;
  /** What speaks against the tags of each, where something does. */
  doubts: (TagDoubt | null)[];
}

/** How much each place of what a network sees speaks for a class; below zero it speaks against it. */
export interface ActivationMap {
  /** From a linear head's weights, or from gradients. */
  how: 'cam' | 'grad-cam';
  rows: number;
  columns: number;
  /** Row-major [rows, columns], in the units of a logit times the number of places (`cam`), before any ReLU. */
  values: Float64Array;
  label: number;
  /** By class. */
  probabilities: Float32Array;
  /** Where in the picture that is: left, top, width, height as shares of its sides. */
  region: [number, number, number, number];
}

/** The mean of such maps. */
export type MeanMap = Pick<ActivationMap, 'how' | 'rows' | 'columns' | 'values'>;

/** What a network says of a text: the probabilities of its classes, or a tag for each of its words. */
export type PredictedText = { probabilities: Float32Array } | { words: string[]; tags: string[] };

export type FromTrainer =
  /** It takes a job: at its start, and again after every job that finished. After any other end of a job it exits. */
  | { type: 'ready' }
  | { type: 'engine'; engine: EngineInfo }
  /** `work`: what the last training step had of a usual one's pixels or pieces. */
  | { type: 'progress'; phase: Phase; done: number; total: number; work?: number }
  /** Values by series (`loss`, `target_loss`, `source_loss`, `lr`, `images_per_s`, `val_accuracy`, …) at a step. */
  | { type: 'metrics'; step: number; values: Record<string, number> }
  | { type: 'note'; text: string }
  /** `without`: ids of samples whose images could not be used. */
  | { type: 'relationship'; relationship: JobRelationship; without: number[] }
  | {
      type: 'ranking';
      scores: { name: string; value: number; low: number; high: number }[];
      /** How many images were left out, and which. */
      notes: string[];
    }
  /** Of a check, or of the images of a run. */
  | { type: 'checked'; result: CheckResult }
  | {
      type: 'calibration';
      fit: Pick<Calibration, 'temperature' | 'nllBefore' | 'nllAfter' | 'notes'>;
      without: number[];
    }
  /** A checkpoint is whole on the disk; `best` is the file of the best weights that it names. */
  | { type: 'checkpoint'; step: number; path: string; best: string | null }
  | { type: 'predictions'; predictions: Predictions }
  | { type: 'tagged'; predictions: TaggedPredictions }
  /** One image of a predict job: probabilities by target class, or why there are none. */
  | { type: 'predicted'; path: string; probabilities: Float32Array | null; error: ErrorValue | null }
  /** All texts of such a job, in their order. */
  | { type: 'predicted-texts'; texts: PredictedText[] }
  /** One image of an explain job: its map, or why there is none. */
  | { type: 'explained'; path: string; map: ActivationMap | null; error: ErrorValue | null }
  /** The mean over those images that could be read; null where none could. */
  | { type: 'mean-map'; map: MeanMap | null; images: number }
  /** On their principal components, row-major [ids, components]; without images that cannot be used. */
  | { type: 'features'; ids: Int32Array; components: number; values: Float32Array }
  /** `auto`: which of them it takes, and why. */
  | { type: 'engines'; engines: SystemReport['engines']; auto: string }
  | { type: 'bench'; result: TrainerBench | RunBench }
  | { type: 'verified'; check: ExportCheck }
  | { type: 'finished'; result: TrainResult | null }
  | { type: 'stopped' }
  | { type: 'failed'; error: ErrorValue };

export interface TrainResult {
  steps: number;
  test: SplitMetrics | null;
  val: SplitMetrics | null;
  /** Images whose labels look wrong; null where none were looked at. */
  suspects: number | null;
  /** Among which images: all of its own by the pre-trained network's features, or those of the test by what it predicts. */
  suspectsAmong: Run['suspectsAmong'];
  timing: RunTiming;
  /** Trained weights (safetensors with metadata), absolute path. */
  weightsPath: string;
}
