/** The domain's words as schemas: what crosses the contract, what the store keeps, what the CLI prints. */
import { z } from 'zod';
import { findingKinds, findingStates } from './finding-kinds.ts';
import {
  approaches,
  classLists,
  engineChoices,
  layerTraits,
  phases,
  precisions,
  runStatuses,
  sides,
  splits,
  taskNames,
  temperatureSources,
} from './names.ts';

export { approaches, classLists, engineChoices, precisions, runStatuses, splits };

/** Name of a network's architecture: one of those that `models.architectures` lists. */
export const Architecture = z.string().min(1);
/** What a network's description says that parts of a training and their options depend on. */
export const NetworkTraits = z.object({
  has: z.array(z.enum(layerTraits)),
  /** Blocks from front to back, or stages where it has none. */
  blocks: z.number().int(),
});
export type NetworkTraits = z.infer<typeof NetworkTraits>;
/** What a person reads for it, and what it has. */
export const ArchitectureTitle = z.object({
  name: Architecture,
  title: z.string(),
  traits: NetworkTraits,
});
export type ArchitectureTitle = z.infer<typeof ArchitectureTitle>;
export const TaskName = z.enum(taskNames);
export const Approach = z.enum(approaches);
export type Approach = z.infer<typeof Approach>;
export const EngineChoice = z.enum(engineChoices);
export type EngineChoice = z.infer<typeof EngineChoice>;
export const Precision = z.enum(precisions);
export type Precision = z.infer<typeof Precision>;
export const Split = z.enum(splits);
export type Split = z.infer<typeof Split>;

/** How pixels become network input: channels scaled to [0,1], then (x - mean) / std per RGB channel. */
export const Preprocessing = z.object({
  /** Side of the square crop in pixels that the network was trained on. */
  inputSize: z.number().int().positive(),
  /** Shorter side in pixels after resizing, before the center crop. */
  resizeShorter: z.number().int().positive(),
  mean: z.tuple([z.number(), z.number(), z.number()]),
  std: z.tuple([z.number(), z.number(), z.number()]),
  /** How a picture of any shape becomes a square: a part of the place `resize`; by a crop where none is named. */
  resize: z.string().optional(),
});
export type Preprocessing = z.infer<typeof Preprocessing>;

/** How a BERT cuts texts into word pieces and what it computes of them: see `backbones/networks/bert.ts` and `text/words.ts`. */
export const TextInput = z.object({
  vocabulary: z.number().int().positive(),
  hidden: z.number().int().positive(),
  layers: z.number().int().positive(),
  heads: z.number().int().positive(),
  intermediate: z.number().int().positive(),
  /** Most pieces of a text, [CLS] and [SEP] included. */
  positions: z.number().int().positive(),
  segments: z.number().int().nonnegative(),
  epsilon: z.number().positive(),
  dropout: z.number(),
  lowercase: z.boolean(),
  stripAccents: z.boolean(),
  splitIdeographs: z.boolean(),
  longestWord: z.number().int().positive(),
});
export type TextInput = z.infer<typeof TextInput>;

/** A sample that is a text. */
export const TextContent = z.object({
  /** As a person reads it. */
  text: z.string(),
  /** Where its file has it in words. */
  words: z.array(z.string()).nullable(),
  /** A tag for each word, in IOB2, whatever the file had; null where the text has a class. */
  tags: z.array(z.string()).nullable(),
});
export type TextContent = z.infer<typeof TextContent>;

export const FindingKindName = z.enum(findingKinds.map(({ name }) => name));
export type FindingKindName = z.infer<typeof FindingKindName>;
export const FindingState = z.enum(findingStates);
export type FindingState = z.infer<typeof FindingState>;

/** What import noticed about one file. `broken`, `empty`, `huge`, `unsupported` files are left out of the dataset, and what a table names wrongly. `unusual`: how it was read. */
export interface SampleIssue {
  kind: FindingKindName;
  /** Path relative to the dataset folder, with forward slashes. */
  path: string;
  detail: string;
  /** For duplicates: the other file. */
  other?: string;
  /** The greatest of a kind is looked at first. */
  score?: number;
}

/** How a dataset was found to lie. */
export const DatasetFormatFacts = z.object({
  name: z.string(),
  title: z.string(),
  /** What it was known by, a sentence. */
  why: z.string(),
});
export type DatasetFormatFacts = z.infer<typeof DatasetFormatFacts>;

export const Dataset = z.object({
  id: z.number().int(),
  name: z.string(),
  task: TaskName,
  /** The folder that it is in, an absolute path. */
  path: z.string(),
  /** The file in that folder that it was imported from; null where it is the folder. */
  file: z.string().nullable(),
  /** Null for one that was imported before there were others than folders. */
  format: DatasetFormatFacts.nullable(),
  /** SHA-256 over the sorted (path, content hash, class, split) list, as edits have made it. */
  hash: z.string(),
  /** As edits have made them; of tagged texts the types of entities. */
  classes: z.array(z.string()),
  importedClasses: z.array(z.string()),
  /** How many edits count. */
  edits: z.number().int(),
  /** SHA-256 over the edits that change something, in their order; null without any. */
  editsHash: z.string().nullable(),
  /** Sample count per split. */
  counts: z.object({ train: z.number().int(), val: z.number().int(), test: z.number().int() }),
  /** Samples, or entities, per class and split, in the order of `classes`. */
  classCounts: z.array(z.object({ train: z.number().int(), val: z.number().int(), test: z.number().int() })),
  /** How many findings there are of each kind that has any, by what was decided; `leaks`: open pairs across splits. */
  findings: z.array(
    z.object({
      kind: FindingKindName,
      open: z.number().int(),
      kept: z.number().int(),
      done: z.number().int(),
      leaks: z.number().int(),
    }),
  ),
  /** Remarks a person should read, e.g. that `val` serves as the test split. */
  notes: z.array(z.string()),
  importedAt: z.string(),
});
export type Dataset = z.infer<typeof Dataset>;

export const Sample = z.object({
  id: z.number().int(),
  dataset: z.number().int(),
  /** Relative to the dataset folder, forward slashes. */
  path: z.string(),
  /** Place in the dataset's classes; −1 of a text that has tags instead. */
  label: z.number().int(),
  split: Split,
  /** Of an image, in pixels; 0 of a text. */
  width: z.number().int(),
  height: z.number().int(),
  bytes: z.number().int(),
  /** SHA-256 of the file, or of a text with its words and tags. */
  hash: z.string(),
  /** 64-bit difference hash of an image, 16 hex digits; empty for a text. */
  perceptualHash: z.string(),
  /** There where it is a text. */
  text: TextContent.optional(),
});
export type Sample = z.infer<typeof Sample>;

/** Something in a dataset that a person should look at. */
export const Finding = z.object({
  id: z.number().int(),
  kind: FindingKindName,
  /** Of the file or image that it is about. */
  path: z.string(),
  /** The other file of a pair. */
  other: z.string().nullable(),
  detail: z.string(),
  /** The greater, the earlier it is worth a look, among those of its kind. */
  score: z.number(),
  state: FindingState,
  /** Whether it is a pair across splits. */
  leak: z.boolean(),
  /** The images; null for a file that was left out, and where there is no other. */
  sample: Sample.nullable(),
  otherSample: Sample.nullable(),
  /**
   * Of a likely wrong label: both classes with their probabilities, and the most similar training images of either; of a sentence the
   * tags in one line, with the probabilities of the types of the word that is doubted the most.
   */
  label: z
    .object({
      given: z.string(),
      suggested: z.string(),
      givenP: z.number(),
      suggestedP: z.number(),
      nearestGiven: Sample.nullable(),
      nearestSuggested: Sample.nullable(),
    })
    .nullable(),
});
export type Finding = z.infer<typeof Finding>;

/** Something that a person changed of a dataset. The files stay as they are. */
export const Edit = z.object({
  id: z.number().int(),
  /** The first of the edits that were made at once: they are undone at once. */
  batch: z.number().int(),
  /** The machine's name for the person. */
  who: z.string(),
  at: z.string(),
  /** `keep`: a finding is as it should be. */
  action: z.enum(['exclude', 'relabel', 'move', 'merge', 'rename', 'keep']),
  /** Path of an image, or name of a class. */
  target: z.string(),
  /** SHA-256 of the image: another one under its path is not meant. Null for a class. */
  hash: z.string().nullable(),
  /** Class or split before and after, or the tags of a sentence, in IOB2, divided by blanks. */
  before: z.string().nullable(),
  after: z.string().nullable(),
  /** The kind of finding that it was made for, and the other file of a pair that is kept. */
  finding: FindingKindName.nullable(),
  other: z.string().nullable(),
  undoneAt: z.string().nullable(),
  /** Why it changes nothing; null where it does. */
  problem: z.string().nullable(),
});
export type Edit = z.infer<typeof Edit>;

/** A temperature fitted on images whose source classes are known, by NLL (nats per image). */
export const Calibration = z.object({
  temperature: z.number().positive(),
  images: z.number().int(),
  /** Source classes that had an image. */
  classes: z.number().int(),
  /** NLL of the source predictions as they are, and at the temperature. */
  nllBefore: z.number(),
  nllAfter: z.number(),
  /** The folder of images, and a hash over them and their classes. */
  data: z.string(),
  hash: z.string(),
  /** Which folders were matched to source classes, and how; images that were left out. */
  notes: z.array(z.string()),
});
export type Calibration = z.infer<typeof Calibration>;

/** What steps of a network take on one machine, as `cotune bench` measures them: one synthetic batch in memory. */
export const Measurement = z.object({
  /** The machine's name. */
  machine: z.string(),
  engine: z.string(),
  device: z.string(),
  batch: z.number().int(),
  /** Side of the square images in pixels. */
  size: z.number().int(),
  /** Medians over the steps, images a second. */
  trainingImagesPerS: z.number(),
  inferenceImagesPerS: z.number(),
  /** What a training step adds to the process's highest resident memory. */
  trainingBytes: z.number(),
  measuredAt: z.string(),
});
export type Measurement = z.infer<typeof Measurement>;

export const Model = z.object({
  id: z.number().int(),
  name: z.string(),
  /** SHA-256 of the weights file. */
  hash: z.string(),
  architecture: Architecture,
  padding: z.enum(['symmetric', 'same']),
  batchNormEpsilon: z.number().positive(),
  /** Of a network of images. */
  preprocessing: Preprocessing.optional(),
  /** Of a network of texts, whose source classes are the pieces of its vocabulary. */
  text: TextInput.optional(),
  sourceClasses: z.array(z.string()),
  /** Temperature of the source predictions given in the file's metadata; null where it is not given. */
  temperature: z.number().positive().nullable(),
  /** The temperature that was fitted here, which goes before the metadata's. */
  calibration: Calibration.optional(),
  /** The last of each machine. */
  measurements: z.array(Measurement).optional(),
  parameters: z.number().int(),
  origin: z.string(),
  /** Remarks a person should read, e.g. how the file was read. */
  notes: z.array(z.string()),
  addedAt: z.string(),
});
export type Model = z.infer<typeof Model>;

/** A method's term, an extra, an optimizer or a schedule by name, with its options, which its own schema knows. */
export const Part = z.looseObject({ name: z.string().min(1) });
export type Part = z.infer<typeof Part>;

/** A part by its name, or with options. */
export const PartChoice = z.union([z.string().min(1), Part]);
/** One or several parts: `cotuning+bss`, or a list. */
export const PartsChoice = z.union([PartChoice, z.array(PartChoice)]);
export type PartsChoice = z.infer<typeof PartsChoice>;

/** Side of the square pictures that a network is given, in pixels. */
export const Side = z.number().int().min(sides.low).max(sides.high);

/** Everything that decides a run's result; defaults are the preset `quick`. */
export const RunConfig = z.strictObject({
  dataset: z.string().min(1),
  model: z.string().min(1),
  /** What is added to cross-entropy on the target labels. */
  method: z.array(Part).min(1),
  /** What any method can have besides. */
  extras: z.array(Part).default([]),
  /** How a picture of any shape becomes the square input. This and the next four: of images alone. */
  resize: Part.optional(),
  /** What training sees of a picture. */
  crop: Part.optional(),
  /** What is changed at random in training pictures, in this order. */
  augment: z.array(Part).optional(),
  /** Which pictures a batch is made of. */
  sampling: Part.optional(),
  /** What of each picture the trained network is tested on. */
  evaluation: Part.optional(),
  /** Name of the preset that it began with. */
  preset: z.string().min(1).default('quick'),
  /** Share of the training images of each class that is used, after the validation images are set aside. */
  rate: z.number().gt(0).max(1).default(1),
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0),
  /** 0 where nothing is trained step by step: a method in closed form. Settings of steps then decide nothing. */
  steps: z.number().int().min(0).max(10_000_000),
  batch: z.number().int().min(2).max(4096),
  /** Side of the square training crop in pixels; of texts, the most pieces of one. */
  size: Side,
  learningRate: z.number().positive(),
  headLearningRateMultiplier: z.number().positive(),
  optimizer: Part,
  /** Course of the learning rate. */
  schedule: Part,
  engine: EngineChoice,
  /** `mixed` stores activations in half precision between the forward pass and the gradient. */
  precision: Precision,
  /** Steps between validation passes (0: only at the end). */
  evaluateEvery: z.number().int().min(0),
  /** Steps between checkpoints (0: only at the end). */
  checkpointEvery: z.number().int().min(0),
  /** Which weights are tested: those of the last step, or of the best validation accuracy. */
  select: z.enum(['last', 'best']),
});
export type RunConfig = z.infer<typeof RunConfig>;

export const RunStatus = z.enum(runStatuses);
export type RunStatus = z.infer<typeof RunStatus>;

export const Phase = z.enum(phases);
export type Phase = z.infer<typeof Phase>;

export const SplitMetrics = z.object({
  accuracy: z.number(),
  macro_f1: z.number(),
  nll: z.number(),
  ece: z.number(),
  /**
   * Of tagged texts: precision, recall and F1 of entities by conlleval's rules, over all types; `macro_f1` is then the mean F1 of
   * the types, and the others are of words.
   */
  entities: z.object({ precision: z.number(), recall: z.number(), f1: z.number() }).optional(),
});
export type SplitMetrics = z.infer<typeof SplitMetrics>;

export const RunTiming = z.object({
  total_s: z.number(),
  data_s: z.number(),
  relationship_s: z.number(),
  train_s: z.number(),
  evaluate_s: z.number(),
  images_per_s: z.number(),
  /** Share of the training time spent waiting for data. */
  data_wait_share: z.number(),
});
export type RunTiming = z.infer<typeof RunTiming>;

const RunEngine = z.object({
  name: z.string(),
  device: z.string(),
  versions: z.record(z.string(), z.string()),
});

export const ErrorValueSchema = z.object({
  code: z.enum(['bad-input', 'not-found', 'conflict', 'unavailable', 'cancelled', 'failed', 'diverged']),
  message: z.string(),
  hint: z.string(),
});

export const Run = z.object({
  id: z.number().int(),
  task: TaskName,
  status: RunStatus,
  config: RunConfig,
  datasetId: z.number().int().nullable(),
  modelId: z.number().int().nullable(),
  datasetHash: z.string(),
  /** That of the dataset's edits when the run began; null without any. */
  editsHash: z.string().nullable(),
  modelHash: z.string(),
  /** Hash of the exact (sample, label, split) lists used: equal for runs that can be compared image by image. */
  splitHash: z.string(),
  engine: RunEngine.nullable(),
  samples: z.object({ train: z.number().int(), val: z.number().int(), test: z.number().int() }),
  phase: Phase,
  step: z.number().int(),
  /** Last step with a checkpoint to resume from, or null. */
  checkpointStep: z.number().int().nullable(),
  test: SplitMetrics.nullable(),
  val: SplitMetrics.nullable(),
  /** Images whose labels look wrong (confident learning); null where there are none to look at. */
  suspects: z.number().int().nullable(),
  /**
   * Among which images: `test`, by its own predictions, or `all` that it used, by linear probes of the pre-trained network's features.
   */
  suspectsAmong: z.enum(['test', 'all']),
  relationshipId: z.number().int().nullable(),
  timing: RunTiming.nullable(),
  error: ErrorValueSchema.nullable(),
  experimentId: z.number().int().nullable(),
  /** What it is for in its experiment: to choose a setting (its test images are left alone), or to judge the chosen one. */
  purpose: z.enum(['tune', 'final']).nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
});
export type Run = z.infer<typeof Run>;

/** One point of the search over the inverse regularization C. */
export const GridPoint = z.object({ C: z.number(), objective: z.number(), val_accuracy: z.number() });
export type GridPoint = z.infer<typeof GridPoint>;

/** Where a temperature comes from: a fit on source-labelled data, the model's metadata, a person, or 1 for want of these. */
export const TemperatureSource = z.enum(temperatureSources);
export type TemperatureSource = z.infer<typeof TemperatureSource>;

export const Relationship = z.object({
  id: z.number().int(),
  /** Identifies every input: image lists, model, preprocessing, approach, calibration. */
  key: z.string(),
  datasetId: z.number().int().nullable(),
  modelId: z.number().int().nullable(),
  datasetName: z.string(),
  modelName: z.string(),
  approach: Approach,
  /** Temperature that divides the source logits. */
  sourceTemperature: z.number(),
  temperatureSource: TemperatureSource,
  /** The fit, where it was fitted. */
  calibration: Calibration.optional(),
  /** Chosen inverse regularization; null for the direct approach. */
  C: z.number().nullable(),
  /** Calibration scale of the target logits; null for the direct approach. */
  scale: z.number().nullable(),
  valAccuracy: z.number().nullable(),
  grid: z.array(GridPoint),
  /** Remarks a person should read: classes without images, images that were left out. */
  notes: z.array(z.string()),
  targetClasses: z.array(z.string()),
  sourceClasses: z.array(z.string()),
  createdAt: z.string(),
});
export type Relationship = z.infer<typeof Relationship>;

/** A relationship in a list: its classes, its grid and its notes are in `relationships.get`. */
export const ListedRelationship = Relationship.omit({
  targetClasses: true,
  sourceClasses: true,
  grid: true,
  notes: true,
});
export type ListedRelationship = z.infer<typeof ListedRelationship>;

/** The strongest source classes of one target class, and the entropy (nats) of its row. */
export const RelationshipRow = z.object({
  name: z.string(),
  entropy: z.number(),
  sources: z.array(z.object({ name: z.string(), p: z.number() })),
});
export type RelationshipRow = z.infer<typeof RelationshipRow>;
