/**
 * The one contract between the service and whoever drives it: the renderer (over Electron message ports or a
 * WebSocket on loopback) and the command line. Both sides' types derive from this literal; inputs are parsed by
 * the service with the same schemas.
 */
import { z } from 'zod';
import {
  Approach,
  Architecture,
  ArchitectureTitle,
  Dataset,
  DatasetFormatFacts,
  Edit,
  EngineChoice,
  ErrorValueSchema,
  Finding,
  FindingKindName,
  FindingState,
  ListedRelationship,
  Model,
  PartChoice,
  PartsChoice,
  Phase,
  Preprocessing,
  Relationship,
  RelationshipRow,
  Run,
  RunConfig,
  RunStatus,
  Sample,
  Split,
  TaskName,
  TextContent,
} from './domain.ts';

import { needs, slots } from './parts.ts';
import { usualSearch } from './search.ts';

const id = z.number().int().positive();
/** A path on the machine of the service: `meta` marks it, so that a host can keep it to some folders. */
const folderPath = z.string().max(4096).meta({ path: true });
const filePath = z.string().min(1).max(4096).meta({ path: true });
/** The same, or the name of a built-in list of classes. */
const classFile = z.string().min(1).max(4096).meta({ path: 'or name' });
/** What a person calls something new. */
const newName = z
  .string()
  .min(1)
  .refine((text) => text === text.trim(), 'a name is not blank and has no blank at its ends');
const page = {
  offset: z.number().int().min(0).default(0),
  limit: z.number().int().min(1).max(1000).default(200),
};

/** What a person may leave out of a training request; the preset and the model fill the rest. */
export const RunRequest = RunConfig.partial()
  .required({ dataset: true, model: true })
  .extend({
    /** The first of those for the network where it is left out. */
    preset: RunConfig.shape.preset.removeDefault().optional(),
    method: PartsChoice,
    extras: PartsChoice.optional(),
    resize: PartChoice.optional(),
    crop: PartChoice.optional(),
    augment: PartsChoice.optional(),
    sampling: PartChoice.optional(),
    evaluation: PartChoice.optional(),
    optimizer: PartChoice.optional(),
    schedule: PartChoice.optional(),
    /** Options of the chosen parts: `cotuning.tradeOff`, or `tradeOff` where only one of them has it. */
    options: z.record(z.string(), z.unknown()).optional(),
    steps: RunConfig.shape.steps.min(1).optional(),
    /** Passes over the training images, an alternative to `steps`. */
    epochs: z.number().positive().optional(),
  });
export type RunRequest = z.infer<typeof RunRequest>;

/** The same for every method; see `search.ts`. */
export const Search = z.strictObject({
  /** Factors on the plan's learning rate. */
  learningRates: z.array(z.number().positive().max(1000)).min(1).max(20).default(usualSearch.learningRates),
  /** Values of each method's own strength, tried with every learning rate. */
  strengths: z.number().int().min(1).max(4).default(usualSearch.strengths),
  /** Whether half of the settings go on with twice the steps, instead of all of them to the end. */
  halving: z.boolean().default(usualSearch.halving),
});

export const ExperimentPlan = z.strictObject({
  name: newName,
  dataset: z.string().min(1),
  model: z.string().min(1),
  methods: z.array(PartsChoice).min(1).max(100),
  rates: z.array(z.number().gt(0).max(1)).min(1).max(100).default([1]),
  seeds: z.array(z.number().int().min(0)).min(1).max(1000).default([0]),
  /** Settings shared by every run of the experiment; an option counts for the methods that have it. */
  config: RunRequest.omit({ dataset: true, model: true, method: true, rate: true, seed: true }).prefault({}),
  /** How each method's settings are searched, on the first seed, before it is trained with them; null: they are as given. */
  search: Search.nullable().default(null),
  /** Whether the methods that are baselines are trained too, before all others. */
  baseline: z.boolean().default(false),
});
export type ExperimentPlan = z.infer<typeof ExperimentPlan>;

export const Experiment = z.object({
  id,
  name: z.string(),
  plan: ExperimentPlan,
  /** `running` as long as there may be more to train. */
  status: z.enum(['running', 'stopped', 'finished']),
  runs: z.array(id),
  createdAt: z.string(),
});
export type Experiment = z.infer<typeof Experiment>;

/** What some of an experiment's runs took. */
const Cost = z.object({ runs: z.number().int(), steps: z.number().int(), seconds: z.number() });
export type Cost = z.infer<typeof Cost>;

/** One method at one rate: what was tried for it, and how it did with what was chosen. */
export const ExperimentCell = z.object({
  /** Place in the plan's list of methods. */
  method: z.number().int(),
  rate: z.number(),
  /** `broken`: a run of its search did not end; `hopeless`: every setting diverged. */
  state: z.enum(['searching', 'broken', 'hopeless', 'chosen']),
  /** Settings that were tried, in the order in which ties are settled, each with its runs by round. */
  tried: z.array(
    z.object({
      text: z.string(),
      chosen: z.boolean(),
      rounds: z.array(
        z.object({
          /** Null where it was deleted. */
          run: id.nullable(),
          status: z.enum([...RunStatus.options, 'deleted']),
          steps: z.number().int(),
          valAccuracy: z.number().nullable(),
          valNll: z.number().nullable(),
        }),
      ),
    }),
  ),
  /** Runs with the chosen setting, by seed, as far as they are planned. */
  runs: z.array(
    z.object({
      run: id.nullable(),
      status: z.enum([...RunStatus.options, 'deleted']),
      seed: z.number().int(),
      /** On the test split. */
      accuracy: z.number().nullable(),
    }),
  ),
  /** Over the seeds that are finished; null before the first. */
  accuracy: z
    .object({
      mean: z.number(),
      /** 95 % t interval over seeds; null with one. */
      interval: z.tuple([z.number(), z.number()]).nullable(),
      seeds: z.number().int(),
    })
    .nullable(),
  /** Whether it is better than every other method at this rate, by comparisons adjusted for their number. */
  isBest: z.boolean(),
  cost: z.object({ search: Cost, final: Cost }),
});
export type ExperimentCell = z.infer<typeof ExperimentCell>;

export const ExperimentResults = z.object({
  experiment: Experiment,
  /** `incomplete`: nothing is left to do but what failed or was stopped. */
  state: z.enum(['running', 'stopped', 'incomplete', 'finished']),
  /** Why it does not go on by itself. */
  problem: ErrorValueSchema.nullable(),
  /** In the plan's order. */
  methods: z.array(z.object({ label: z.string(), isBaseline: z.boolean() })),
  cells: z.array(ExperimentCell),
  /** How many runs the whole plan comes to. */
  plannedRuns: z.number().int(),
  /** What the comparisons of methods say, by rate. */
  verdicts: z.array(z.object({ rate: z.number(), verdict: z.string(), distinguishable: z.boolean() })),
});
export type ExperimentResults = z.infer<typeof ExperimentResults>;

/** What a plan will take on this machine, from a short run of each method. */
export const PlanEstimate = z.object({
  runs: z.number().int(),
  seconds: z.number(),
  /** Resident memory of the process that trains, at its highest. */
  peakBytes: z.number(),
  /** Images that are decoded for the first time. */
  firstDecodings: z.number().int(),
  engine: z.string(),
  methods: z.array(
    z.object({ label: z.string(), runs: z.number().int(), seconds: z.number(), stepSeconds: z.number() }),
  ),
  notes: z.array(z.string()),
});
export type PlanEstimate = z.infer<typeof PlanEstimate>;

/** A long piece of work outside a run. */
export const Task = z.object({
  id,
  kind: z.enum([
    'import',
    'relationship',
    'calibration',
    'download',
    'measurement',
    'ranking',
    'check',
    'features',
  ]),
  title: z.string(),
  status: z.enum(['running', 'finished', 'failed']),
  done: z.number(),
  total: z.number(),
  /** What it waits for, in words: the run or the job that has the device. */
  waitsFor: z.string().nullable(),
  /** Id of the dataset, relationship, model or ranking once finished. */
  result: z.number().int().nullable(),
  error: ErrorValueSchema.nullable(),
});
export type Task = z.infer<typeof Task>;

/** What ranking scores say of models; `low` and `high` are 95 % bootstrap intervals over images. */
export const Ranking = z.object({
  id,
  dataset: z.string(),
  /** The dataset's hash then. */
  datasetHash: z.string(),
  rate: z.number(),
  createdAt: z.string(),
  images: z.number().int(),
  scores: z.array(z.object({ name: z.string(), title: z.string(), help: z.string(), source: z.string() })),
  models: z.array(
    z.object({
      model: z.string(),
      modelHash: z.string(),
      /** By name of the score; null where it says nothing. */
      values: z.record(
        z.string(),
        z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable(),
      ),
    }),
  ),
  notes: z.array(z.string()),
});
export type Ranking = z.infer<typeof Ranking>;

/** Which folders of an imported folder are splits and which are classes, where their names do not say it. */
export const ImportLayout = z.object({
  /** Levels from a split's folder, or the dataset's where there are no splits, down to the folders that name classes. */
  classesAt: z.number().int().min(1).max(20).optional(),
  /** By their names, none, or the folders of each, relative to the dataset's. */
  splits: z
    .union([
      z.enum(['names', 'none']),
      z.object({
        train: z.array(z.string().min(1)).min(1),
        val: z.array(z.string().min(1)).optional(),
        test: z.array(z.string().min(1)).optional(),
      }),
    ])
    .default('names'),
});
export type ImportLayout = z.infer<typeof ImportLayout>;

/** Which columns of a table of images are which, by their names (or numbers from 1 where there are none). */
export const TableColumns = z.strictObject({
  file: z.string().optional(),
  label: z.string().optional(),
  split: z.string().optional(),
  group: z.string().optional(),
  /** Left, top, width and height in pixels. */
  crop: z.tuple([z.string(), z.string(), z.string(), z.string()]).optional(),
});
export type TableColumns = z.infer<typeof TableColumns>;

/** A way in which datasets may lie. */
export const DatasetFormatDescription = z.object({
  name: z.string(),
  title: z.string(),
  help: z.string(),
  source: z.string(),
  options: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      help: z.string(),
      default: z.string(),
      choices: z.array(z.string()),
    }),
  ),
});
export type DatasetFormatDescription = z.infer<typeof DatasetFormatDescription>;

/** How a dataset is to be read; whatever is left out is found out. */
export const ImportChoice = z.object({
  /** Name of a dataset format; `auto`: the one that it looks most like. */
  format: z.string().optional(),
  layout: ImportLayout.optional(),
  columns: TableColumns.optional(),
  /** Which links in the folder are followed: those that lead to what is in it, or all. */
  links: z.enum(['inside', 'all']).optional(),
  /**
   * A pattern (JavaScript's regular expressions) of what the names of images have in common that must not stand on two sides of a
   * split: its first group, or what it matches.
   */
  groupBy: z.string().min(1).max(1000).optional(),
  /** How classes are sorted that the dataset itself does not order: `plain`, 10 before 2, or `natural`, 2 before 10. */
  classOrder: z.enum(['plain', 'natural']).optional(),
  /** Options of the format, by name. */
  values: z.record(z.string(), z.string()).optional(),
});
export type ImportChoice = z.infer<typeof ImportChoice>;

/** The first rows of a table, and what its columns are taken for. */
export const TablePreview = z.object({
  path: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.array(z.string())),
  taken: TableColumns,
  /** Columns of which each stands for a class. */
  classColumns: z.array(z.string()),
  /** Of the files that its first rows name, the share that is there: 0 to 1. */
  found: z.number(),
  /** Tables that are read with it: of other splits. */
  others: z.array(z.string()),
});
export type TablePreview = z.infer<typeof TablePreview>;

/** What an import would read. */
export const DatasetPreview = z.object({
  format: DatasetFormatFacts,
  table: TablePreview.nullable(),
  /** The first images, where there is no table. */
  images: z.array(
    z.object({
      path: z.string(),
      className: z.string(),
      split: Split.nullable(),
      group: z.string().nullable(),
      text: TextContent.optional(),
    }),
  ),
  notes: z.array(z.string()),
});
export type DatasetPreview = z.infer<typeof DatasetPreview>;

/** A change of a dataset that is asked for. `finding`: the finding that it settles. */
export const EditRequest = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('exclude'), path: z.string(), finding: id.optional() }),
  z.strictObject({
    action: z.literal('relabel'),
    path: z.string(),
    to: newName,
    /** Whether it may be a class that is not there yet. */
    newClass: z.boolean().default(false),
    finding: id.optional(),
  }),
  z.strictObject({ action: z.literal('move'), path: z.string(), to: Split, finding: id.optional() }),
  z.strictObject({ action: z.literal('merge'), name: z.string(), into: z.string() }),
  z.strictObject({ action: z.literal('rename'), name: z.string(), to: newName }),
  z.strictObject({ action: z.literal('keep'), finding: id }),
]);
export type EditRequest = z.infer<typeof EditRequest>;

const SeriesPoint = z.object({ step: z.number().int(), value: z.number() });
export const MetricSeries = z.record(z.string(), z.array(SeriesPoint));
export type MetricSeries = z.infer<typeof MetricSeries>;

export const ClassScore = z.object({
  name: z.string(),
  support: z.number().int(),
  predicted: z.number().int(),
  /** Null where the class is never predicted. */
  precision: z.number().nullable(),
  /** Null where the class has no image. */
  recall: z.number().nullable(),
  /** Null where both is so. */
  f1: z.number().nullable(),
  /** 95 % Wilson interval of the recall. */
  recallInterval: z.tuple([z.number(), z.number()]).nullable(),
});
export type ClassScore = z.infer<typeof ClassScore>;

/** Everything a run detail shows about one split's predictions. */
export const Evaluation = z.object({
  split: Split,
  accuracy: z.number(),
  accuracyInterval: z.tuple([z.number(), z.number()]),
  /** Mean F1 of the classes that have one. */
  macroF1: z.number(),
  nll: z.number(),
  ece: z.number(),
  /** Null of tagged texts, as their other probabilities are those of words. */
  brier: z.number().nullable(),
  /** Of tagged texts over all types, with the 95 % bootstrap interval of F1 over sentences; `accuracy` is then that of words. */
  entities: z
    .object({
      gold: z.number().int(),
      predicted: z.number().int(),
      correct: z.number().int(),
      precision: z.number(),
      recall: z.number(),
      f1: z.number(),
      f1Interval: z.tuple([z.number(), z.number()]),
    })
    .optional(),
  /** Of tagged texts the types of entities: precision, recall and F1 by conlleval's rules. */
  classes: z.array(ClassScore),
  /** Rows: true class; columns: predicted class; empty for tagged texts, and so are the bins of `reliability`. */
  confusion: z.array(z.array(z.number().int())),
  reliability: z.array(z.object({ count: z.number().int(), accuracy: z.number(), confidence: z.number() })),
});
export type Evaluation = z.infer<typeof Evaluation>;

export const Prediction = z.object({
  sample: Sample,
  predicted: z.number().int(),
  correct: z.boolean(),
  /** Probability of the predicted class. */
  confidence: z.number(),
  /** −ln p of the true class, in nats. */
  loss: z.number(),
  /** Place of the true class by probability, from 1. */
  rank: z.number().int(),
  /** The most probable classes, up to five. A table (`runs.export`) has all. */
  top: z.array(z.object({ label: z.number().int(), p: z.number() })),
  /**
   * Of a text with tags: the predicted ones, a tag for each word. `predicted` then counts the entities that are missed, invented or
   * not as they should be, so that it is `correct` without any; `confidence` is the mean over words, as `loss` is, and `top` is empty.
   */
  tags: z.array(z.string()).optional(),
});
export type Prediction = z.infer<typeof Prediction>;

/** A filter of a dataset's pictures under a name. */
const View = z.object({
  id,
  name: z.string(),
  /** What the location says of the filter, by the names that it has there. */
  query: z.record(z.string().max(40), z.string().max(200)),
});
export type View = z.infer<typeof View>;

/** Which network is looked through: the trained one with its head, or the one that training began with, with its source head. */
const ViewedHead = z.enum(['target', 'source']);
export type ViewedHead = z.infer<typeof ViewedHead>;

/** How much each place of what a network sees speaks for a class, before any ReLU; below zero it speaks against it. */
const PlaceMap = z.object({
  /** By the weights of a linear head on pooled features, or by gradients where there is no such head. */
  how: z.enum(['cam', 'grad-cam']),
  rows: z.number().int(),
  columns: z.number().int(),
  /** Row-major [rows, columns]. */
  values: z.array(z.number()),
});

const ActivationMap = PlaceMap.extend({
  /** The class that is looked for, among those of the head. */
  label: z.number().int(),
  name: z.string(),
  /** Its probability. */
  p: z.number(),
  /** The head's most probable classes, up to five. */
  top: z.array(z.object({ name: z.string(), p: z.number() })),
  /** Where in the upright picture the map lies: left, top, width, height as shares of its sides. */
  region: z.tuple([z.number(), z.number(), z.number(), z.number()]),
});

/** How a list of predictions is ordered: by true class, predicted class and image, or by a number, falling unless it says rising. */
const PredictionOrder = z.enum(['class', 'loss', 'loss-rising', 'confidence', 'confidence-rising']);
export type PredictionOrder = z.infer<typeof PredictionOrder>;

export const Interval = z.object({ value: z.number(), low: z.number(), high: z.number() });
export type Interval = z.infer<typeof Interval>;

/** How sure a comparison's figures are. */
const tested = {
  /** Probability of a difference at least this large by chance alone; null where nothing is shared. */
  p: z.number().nullable(),
  /** The same, adjusted (Holm) for the verdicts that stand beside this one; null where it carries no verdict. */
  adjustedP: z.number().nullable(),
  /** How many verdicts that is. */
  verdicts: z.number().int(),
  /**
   * What the verdict is about: `methods` (settings, whatever the seed), `networks` (these trained networks on such images), or
   * `none` where the two are not like for like or share nothing.
   */
  about: z.enum(['methods', 'networks', 'none']),
  /** Whether the adjusted p-value is at most 0.05. */
  distinguishable: z.boolean(),
  /** Why the two are not like for like; empty where they are. */
  reasons: z.array(z.string()),
  /** What the numbers allow to be said. */
  verdict: z.string(),
};

/**
 * The trained networks of two runs: `b` against `a` on the same samples; every difference is b − a. What is called accuracy here is the
 * one number by which the task judges a network: of tagged texts the F1 of entities.
 */
export const PairComparison = z.object({
  a: id,
  b: id,
  comparable: z.boolean(),
  configDifferences: z.array(z.object({ key: z.string(), a: z.string(), b: z.string() })),
  accuracyA: Interval,
  accuracyB: Interval,
  /** Over the images that both predicted, 95 %; null where they share none. */
  difference: Interval.nullable(),
  /** By the task's paired test: McNemar's, or approximate randomization for the F1 of entities. */
  mcnemarP: z.number().nullable(),
  /** How many images are wrong in a and right in b, and the reverse: `runs.changes` has them. */
  fixed: z.number().int(),
  broken: z.number().int(),
  ...tested,
});
export type PairComparison = z.infer<typeof PairComparison>;

/** A pair with its classes. Recalls and their difference are null for a class without test images. */
export const PairDetail = PairComparison.extend({
  classes: z.array(
    z.object({
      name: z.string(),
      support: z.number().int(),
      recallA: z.number().nullable(),
      recallB: z.number().nullable(),
      gain: z.number().nullable(),
    }),
  ),
});
export type PairDetail = z.infer<typeof PairDetail>;

/** An image that only one of two runs has right. */
export const ChangedImage = z.object({
  sample: Sample,
  predictedA: z.number().int(),
  predictedB: z.number().int(),
  /** Of a tagged text: the tags that either predicted. */
  tagsA: z.array(z.string()).optional(),
  tagsB: z.array(z.string()).optional(),
});
export type ChangedImage = z.infer<typeof ChangedImage>;

/** Runs that differ only in seed. */
export const GroupSummary = z.object({
  /** The method with the settings that tell this group from the others: no two groups have the same. */
  name: z.string(),
  method: z.string(),
  rate: z.number(),
  /** One for every seed. */
  runs: z.array(id),
  seeds: z.array(z.number().int()),
  /** Runs that do again what one of `runs` does, with the same seed: they count for nothing. */
  repeats: z.array(id),
  accuracyMean: z.number(),
  /** Sample standard deviation over seeds; null with one. */
  accuracySd: z.number().nullable(),
  secondsMean: z.number(),
});
export type GroupSummary = z.infer<typeof GroupSummary>;

/** Group `b` against group `a` (indices into the groups) over the seeds that both have; the difference is b − a. */
export const GroupDifference = z.object({
  a: z.number().int(),
  b: z.number().int(),
  seeds: z.array(z.number().int()),
  images: z.number().int(),
  /** Mean over paired seeds and shared images, 95 %; with one seed, over images alone. */
  difference: Interval,
  /** Sample standard deviation of the difference over seeds; null with one seed. */
  seedSd: z.number().nullable(),
  ...tested,
});
export type GroupDifference = z.infer<typeof GroupDifference>;

export const Comparison = z.object({
  task: TaskName,
  groups: z.array(GroupSummary),
  /** Every two groups with a seed and an image in common; of many groups, each against the first. */
  differences: z.array(GroupDifference),
  /** The first run against each other one. */
  pairs: z.array(PairComparison),
});
export type Comparison = z.infer<typeof Comparison>;

const SystemFinding = z.object({
  level: z.enum(['ok', 'info', 'warning', 'problem']),
  topic: z.string(),
  text: z.string(),
  hint: z.string(),
});
export const SystemReport = z.object({
  version: z.string(),
  home: z.string(),
  engines: z.array(
    z.object({
      name: z.string(),
      available: z.boolean(),
      device: z.string(),
      reason: z.string(),
      versions: z.record(z.string(), z.string()),
    }),
  ),
  findings: z.array(SystemFinding),
});
export type SystemReport = z.infer<typeof SystemReport>;

/** An exported network's test vectors, run again: see the README beside it. */
export const ExportCheck = z.object({
  path: z.string(),
  /** Side of the square input in pixels. */
  size: z.number().int(),
  classes: z.number().int(),
  /** Largest difference of a probability that counts as the same. */
  tolerance: z.number(),
  vectors: z.array(
    z.object({
      name: z.string(),
      /** What to look at where this picture alone differs. */
      tells: z.string(),
      /** Largest difference of a probability, alone and within a batch. */
      difference: z.number(),
      holds: z.boolean(),
    }),
  ),
});
export type ExportCheck = z.infer<typeof ExportCheck>;

const OptionValue = z.union([z.number(), z.string(), z.boolean(), z.array(z.number())]);
const OptionDescription = z.object({
  name: z.string(),
  title: z.string(),
  help: z.string(),
  type: z.enum(['number', 'integer', 'numbers', 'flag', 'choice']),
  default: OptionValue.nullable(),
  presets: z.record(z.string(), OptionValue).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  above: z.number().optional(),
  below: z.number().optional(),
  unit: z.string().optional(),
  most: z.enum(['blocks']).optional(),
  choices: z.array(z.string()).optional(),
  required: z.boolean().optional(),
  of: z.enum(['run']).optional(),
  strength: z.array(z.number()).optional(),
});
const PartDescription = z.object({
  name: z.string(),
  title: z.string(),
  help: z.string(),
  formula: z.string(),
  source: z.string(),
  when: z.string(),
  options: z.array(OptionDescription),
  needs: z.array(z.enum(needs)),
  takesAway: z.array(z.enum(needs)),
  prepares: z.string().nullable(),
  closedForm: z.boolean(),
  isBaseline: z.boolean(),
  excludes: z.record(z.string(), z.string()),
});
const parts = z.array(PartDescription);

/** A dataset's images, and the one network that is asked about them. */
const ofNetwork = { dataset: z.string(), model: z.string().optional(), run: id.optional() };

const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) => ({ input, output });
const none = z.object({});
const ok = z.object({ ok: z.literal(true) });

export const contract = {
  calls: {
    'system.report': call(none, SystemReport),
    /** Folders and importable files below a path, for choosing one where no native dialog exists. */
    'system.listFolder': call(
      z.object({ path: folderPath.default('') }),
      z.object({
        path: z.string(),
        parent: z.string().nullable(),
        entries: z.array(z.object({ name: z.string(), path: z.string(), folder: z.boolean() })),
      }),
    ),
    /** What has the device: the run or the long job that everything else of the kind waits for. */
    'system.device': call(
      none,
      z.object({ holder: z.object({ title: z.string(), run: id.nullable() }).nullable() }),
    ),
    'tasks.list': call(none, z.array(Task)),
    /** Ends a task as soon as its work allows; it is then failed, as `cancelled`. */
    'tasks.cancel': call(z.object({ task: id }), ok),
    /** Everything that a training can be put together from. */
    'parts.list': call(none, z.record(z.enum(slots), parts)),

    'datasets.list': call(none, z.array(Dataset)),
    /** How datasets may lie. */
    'datasets.formats': call(none, z.array(DatasetFormatDescription)),
    /** Writes the exact list of a dataset's images as it is trained on: a table (CSV) of path, label, split and group. */
    'datasets.writeList': call(
      z.object({ dataset: z.string(), path: filePath, overwrite: z.boolean().default(false) }),
      z.object({ path: z.string(), images: z.number().int() }),
    ),
    'datasets.get': call(z.object({ dataset: z.string() }), Dataset),
    /** What an import of a folder or file would read; nothing is kept. */
    'datasets.preview': call(z.object({ path: filePath, choice: ImportChoice.default({}) }), DatasetPreview),
    /** Starts an import; its progress and result arrive as `task` events. */
    'datasets.import': call(
      z.object({
        path: filePath,
        name: newName,
        seed: z.number().int().min(0).default(0),
        /** What is left out for a dataset imported before: as it was then. */
        choice: ImportChoice.default({}),
      }),
      Task,
    ),
    'datasets.samples': call(
      z.object({
        dataset: z.string(),
        label: z.number().int().optional(),
        split: Split.optional(),
        /** Only images that a finding names, both sides of a duplicate. */
        withFindings: z.boolean().default(false),
        /** Only images with a finding of this kind, or that somebody has decided so about. */
        finding: FindingKindName.optional(),
        decision: FindingState.optional(),
        /** Those that an edit left out, instead of those that count. */
        excluded: z.boolean().default(false),
        /** Only the images of one group: a patient, a video, an individual. */
        group: z.string().optional(),
        /** A run on this dataset, by whose predictions images are filtered and ordered: others are left out then. */
        run: id.optional(),
        outcome: z.enum(['right', 'wrong']).optional(),
        predicted: z.number().int().min(0).optional(),
        /** Only what the run used its images for: `unused` are those outside of its subset. */
        part: z.enum([...Split.options, 'unused']).optional(),
        order: PredictionOrder.default('class'),
        /** The most like one image first, by a network's features, which have been made; `order` then does not count. */
        like: z.object({ sample: id, model: z.string().optional(), run: id.optional() }).optional(),
        /** Only texts, or paths, with these characters in them, in any case. */
        search: z.string().max(1000).optional(),
        /** These images alone, in this order, whatever else is asked for. */
        ids: z.array(id).max(1000).optional(),
        ...page,
      }),
      z.object({
        total: z.number().int(),
        samples: z.array(
          Sample.extend({
            /** Whether a finding names it that nobody has decided about. */
            flagged: z.boolean(),
          }),
        ),
      }),
    ),
    /** Groups of a dataset's images, what must not stand on two sides of a split, the largest first; of very many some. */
    'datasets.groups': call(
      z.object({ dataset: z.string() }),
      z.array(z.object({ name: z.string(), images: z.number().int() })),
    ),
    /** What was found in a dataset, kind by kind, leaks and high scores first. */
    'datasets.findings': call(
      z.object({
        dataset: z.string(),
        kind: FindingKindName.optional(),
        state: FindingState.optional(),
        /** Only those that name this image. */
        sample: id.optional(),
        /** Only pairs across splits. */
        leaks: z.boolean().default(false),
        /** Only those after this one: a list that is worked off goes on there, whatever has left it meanwhile. */
        after: id.optional(),
        ...page,
      }),
      z.object({ total: z.number().int(), findings: z.array(Finding) }),
    ),
    /**
     * Looks for likely wrong labels (confident learning on probabilities of linear probes that have not seen the image) and for images
     * alike by a network's features; the findings of an earlier check are replaced.
     */
    'datasets.check': call(
      z.object({
        dataset: z.string(),
        /** A pre-trained network, by which all images are looked at. */
        model: z.string().optional(),
        /** Or a finished run: its test images alone, by its predictions. */
        run: id.optional(),
        engine: EngineChoice.default('auto'),
      }),
      Task,
    ),
    /** What people changed, the newest first; `undone`: with what was taken back. */
    'datasets.edits': call(
      z.object({ dataset: z.string(), undone: z.boolean().default(false), ...page }),
      z.object({ total: z.number().int(), edits: z.array(Edit) }),
    ),
    /** Makes edits, all or none, which one undo takes back; those that would change nothing are left out. */
    'datasets.edit': call(
      z.object({ dataset: z.string(), edits: z.array(EditRequest).min(1).max(10_000) }),
      z.object({ made: z.number().int(), dataset: Dataset }),
    ),
    /** Takes back what was made together with an edit, or last. */
    'datasets.undo': call(
      z.object({ dataset: z.string(), edit: id.optional() }),
      z.object({ edits: z.array(Edit), dataset: Dataset }),
    ),
    /** Writes the edits that count as a table, or as a shell script that moves the files alike and that a person may run. */
    'datasets.exportEdits': call(
      z.object({
        dataset: z.string(),
        path: filePath,
        format: z.enum(['csv', 'sh']),
        /** Else a file that is there already is a `conflict`. */
        overwrite: z.boolean().default(false),
      }),
      z.object({ path: z.string(), bytes: z.number().int(), edits: z.number().int() }),
    ),
    /** Adds the edits of a table to those there are; `problems`: those that change nothing here. */
    'datasets.importEdits': call(
      z.object({ dataset: z.string(), path: filePath }),
      z.object({ made: z.number().int(), problems: z.array(Edit), dataset: Dataset }),
    ),
    /** Test accuracy of the last finished run, and without what open findings of a kind name, what is given, and what is excluded. */
    'datasets.accuracyWithout': call(
      z.object({
        dataset: z.string(),
        kind: FindingKindName.optional(),
        samples: z.array(id).max(100_000).optional(),
      }),
      z
        .object({
          run: id,
          all: z.object({ images: z.number().int(), correct: z.number().int() }),
          without: z.object({ images: z.number().int(), correct: z.number().int() }),
        })
        .nullable(),
    ),
    /** Makes the pooled features of a dataset's images by a model, or by a run's trained network, and keeps them. */
    'features.make': call(z.object({ ...ofNetwork, engine: EngineChoice.default('auto') }), Task),
    /** Features in the order of the images' paths, from the row `from` on. Errors: `not-found` before they are made. */
    'features.get': call(
      z.object({ ...ofNetwork, from: z.number().int().min(0).default(0) }),
      z.object({
        total: z.number().int(),
        /** Numbers of each image: its features' principal components, the largest first. */
        components: z.number().int(),
        ids: z.array(id),
        /** Row-major float32 [ids, components], little-endian, in base64. */
        values: z.string(),
        /** Of each image: class, split, whether a finding is open, and what the run predicted (-1 where nothing). */
        facts: z.object({
          labels: z.array(z.number().int()),
          splits: z.array(Split),
          flagged: z.array(z.boolean()),
          predicted: z.array(z.number().int()),
        }),
        /** The first row that is left, or null. */
        next: z.number().int().nullable(),
      }),
    ),
    /** Images that are most like one, by the cosine of their features: itself first. */
    'features.similar': call(
      z.object({ ...ofNetwork, sample: id, limit: z.number().int().min(1).max(1000).default(200) }),
      z.array(z.object({ sample: id, cosine: z.number() })),
    ),
    /** Filters of a dataset's pictures that somebody gave a name, by name. */
    'views.list': call(z.object({ dataset: z.string() }), z.array(View)),
    /** Keeps one; a view of the same name is replaced. */
    'views.save': call(z.object({ dataset: z.string(), name: newName, query: View.shape.query }), View),
    'views.delete': call(z.object({ view: id }), ok),
    'datasets.delete': call(z.object({ dataset: z.string() }), ok),
    'samples.get': call(z.object({ sample: id }), Sample),

    'models.list': call(none, z.array(Model)),
    /** Networks whose weights can be added. */
    'models.architectures': call(none, z.array(ArchitectureTitle)),
    /** What a weights file is, or is nearest to, and which of its tensors is taken for which; nothing is kept. */
    'models.inspect': call(
      z.object({ path: filePath, architecture: Architecture.optional() }),
      z.object({
        architecture: z.string(),
        /** How it differs, in words; empty where it does not. */
        differs: z.string(),
        classes: z.number().int(),
        tensors: z.array(
          z.object({ file: z.string(), network: z.string().nullable(), shape: z.array(z.number().int()) }),
        ),
      }),
    ),
    'models.add': call(
      z.object({
        path: filePath,
        name: newName,
        /** A file of source class names, or the name of a built-in list. */
        classesPath: classFile.optional(),
        architecture: Architecture.optional(),
        padding: z.enum(['symmetric', 'same']).optional(),
        preprocessing: Preprocessing.omit({ resize: true }).partial().optional(),
      }),
      Model,
    ),
    /** Downloads a network from a Hugging Face hub and adds it. What has arrived of a download that ended early is gone on with. */
    'models.fetch': call(
      z.object({
        repository: z.string().min(1).max(200),
        /** That of the repository where it is left out. */
        name: newName.optional(),
        revision: z.string().min(1).max(200).default('main'),
        classesPath: classFile.optional(),
        /** Default: HF_ENDPOINT, else https://huggingface.co. */
        endpoint: z.url({ protocol: /^https?$/ }).optional(),
        /** Is kept nowhere. Default where no endpoint is named: HF_TOKEN. */
        token: z.string().min(1).max(1000).optional(),
      }),
      Task,
    ),
    /** Measures steps of a network on this machine, as a training takes them where nothing else is asked for, and keeps the figures with the model. */
    'models.measure': call(z.object({ model: z.string(), engine: EngineChoice.default('auto') }), Task),
    /** Fits the temperature of a model's source predictions on a folder with a folder of images for every source class. */
    'models.calibrate': call(
      z.object({ model: z.string(), data: filePath, engine: EngineChoice.default('auto') }),
      Task,
    ),
    /** Scores, before any training, how well models suit a dataset's training images: several opinions, higher is better. */
    'models.rank': call(
      z.object({
        dataset: z.string(),
        /** All that there are where it is left out. */
        models: z.array(z.string()).min(1).optional(),
        rate: z.number().gt(0).max(1).default(1),
        seed: z.number().int().min(0).default(0),
        engine: EngineChoice.default('auto'),
      }),
      Task,
    ),
    'models.delete': call(z.object({ model: z.string() }), ok),

    'rankings.list': call(none, z.array(Ranking)),
    'rankings.get': call(z.object({ ranking: id }), Ranking),
    'rankings.delete': call(z.object({ ranking: id }), ok),

    'relationships.list': call(none, z.array(ListedRelationship)),
    'relationships.get': call(
      z.object({ relationship: id, top: z.number().int().min(1).max(100).default(10) }),
      z.object({ relationship: Relationship, rows: z.array(RelationshipRow) }),
    ),
    /** Row-major [targets][sources], from the row `from` on as many whole rows as one message takes. */
    'relationships.matrix': call(
      z.object({ relationship: id, from: z.number().int().min(0).default(0) }),
      z.object({
        targets: z.number().int(),
        sources: z.number().int(),
        values: z.array(z.number()),
        /** The first row that is left, or null. */
        next: z.number().int().nullable(),
      }),
    ),
    'relationships.learn': call(
      z.object({
        dataset: z.string(),
        model: z.string(),
        approach: Approach.default('reverse'),
        rate: z.number().gt(0).max(1).default(1),
        seed: z.number().int().min(0).default(0),
        engine: EngineChoice.default('auto'),
        /** Calibrates the model first, as `models.calibrate` does. */
        calibrationData: filePath.optional(),
      }),
      Task,
    ),

    /** The same from arrays made elsewhere: .npy files of source logits and target labels. */
    'relationships.learnArrays': call(
      z.object({
        trainLogits: filePath,
        trainLabels: filePath,
        valLogits: filePath,
        valLabels: filePath,
        approach: Approach.default('reverse'),
        /** Multiplies the source logits: 1 / temperature. */
        sourceScale: z.number().positive().optional(),
        /** Files of class names, or names of built-in lists. */
        sourceClasses: classFile.optional(),
        targetClasses: classFile.optional(),
      }),
      Task,
    ),

    /** Newest first: those before a run, where one is named. */
    'runs.list': call(
      z.object({
        experiment: id.optional(),
        dataset: z.string().optional(),
        status: RunStatus.optional(),
        before: id.optional(),
        limit: z.number().int().min(1).max(1000).default(1000),
      }),
      z.array(Run),
    ),
    'runs.get': call(z.object({ run: id }), Run),
    'runs.start': call(RunRequest, Run),
    /** Ways to make one network of several by the mean of their weights: of several `runs`, or of one `run` and what it began with. */
    'runs.averagings': call(
      none,
      z.array(
        z.object({
          name: z.string(),
          title: z.string(),
          help: z.string(),
          source: z.string(),
          of: z.enum(['runs', 'run']),
        }),
      ),
    ),
    /** The result is a run like others, whose method names the way and the runs. */
    'runs.average': call(z.object({ way: z.string().min(1), runs: z.array(id).min(1).max(1000) }), Run),
    'runs.resume': call(z.object({ run: id }), Run),
    'runs.stop': call(z.object({ run: id }), ok),
    'runs.delete': call(z.object({ run: id }), ok),
    'runs.metrics': call(z.object({ run: id, afterStep: z.number().int().default(-1) }), MetricSeries),
    'runs.notes': call(z.object({ run: id }), z.array(z.string())),
    'runs.evaluation': call(z.object({ run: id, split: Split.default('test') }), Evaluation),
    'runs.predictions': call(
      z.object({
        run: id,
        split: Split.default('test'),
        label: z.number().int().optional(),
        predicted: z.number().int().optional(),
        wrongOnly: z.boolean().default(false),
        order: PredictionOrder.default('class'),
        ...page,
      }),
      z.object({ total: z.number().int(), predictions: z.array(Prediction) }),
    ),
    'runs.compare': call(z.object({ runs: z.array(id).min(2).max(10_000) }), Comparison),
    'runs.comparePair': call(z.object({ a: id, b: id }), PairDetail),
    /** Images wrong in a and right in b (`fixed`), or the reverse (`broken`). */
    'runs.changes': call(
      z.object({ a: id, b: id, kind: z.enum(['fixed', 'broken']), ...page }),
      z.object({ total: z.number().int(), images: z.array(ChangedImage) }),
    ),
    'runs.predict': call(
      z.object({
        run: id,
        /** Images; of a run of texts, files of texts: a text in each line, or as an import would read it. */
        paths: z.array(filePath).max(10_000).default([]),
        /** Texts themselves, for a run of texts. */
        texts: z.array(z.string().max(1_000_000)).max(10_000).default([]),
      }),
      z.array(
        z.object({
          /** Of a file with its line, where it has texts; empty for a text that was given itself. */
          path: z.string(),
          /** There where it is a text: with the words that it was divided into and their predicted tags where the run finds entities. */
          text: TextContent.optional(),
          error: ErrorValueSchema.nullable(),
          top: z.array(z.object({ name: z.string(), p: z.number() })),
        }),
      ),
    ),
    /**
     * Where a run's network looks in images of datasets and in files: for a class of the head, by number or name, or in each for the one
     * that it predicts.
     */
    'runs.explain': call(
      z.object({
        run: id,
        head: ViewedHead.default('target'),
        label: z.union([z.number().int().min(0), z.string()]).optional(),
        samples: z.array(id).max(1000).default([]),
        paths: z.array(filePath).max(1000).default([]),
        /** A folder for PNGs of the pictures with the maps over them, named after their files; made where it is not there. */
        out: filePath.optional(),
        overwrite: z.boolean().default(false),
      }),
      z.array(
        z.object({
          sample: id.nullable(),
          path: z.string(),
          error: ErrorValueSchema.nullable(),
          map: ActivationMap.nullable(),
          /** The PNG that was written. */
          overlay: z.string().nullable(),
        }),
      ),
    ),
    /** The mean over images of one class of a run's split, at most 100 of them: for that class, or in each for what the source head predicts. */
    'runs.meanMap': call(
      z.object({
        run: id,
        head: ViewedHead.default('target'),
        label: z.number().int().min(0),
        split: Split.default('test'),
      }),
      z.object({ map: PlaceMap, images: z.number().int() }),
    ),
    'runs.export': call(
      z.object({
        run: id,
        format: z.enum(['safetensors', 'onnx', 'csv']),
        path: filePath,
        /** Else a file that is there already is a `conflict`. */
        overwrite: z.boolean().default(false),
      }),
      z.object({ path: z.string(), bytes: z.number().int() }),
    ),
    /** Runs the test vectors of an exported ONNX file again. */
    'exports.verify': call(z.object({ path: filePath }), ExportCheck),

    'experiments.list': call(none, z.array(Experiment)),
    'experiments.start': call(ExperimentPlan, Experiment),
    'experiments.get': call(z.object({ experiment: id }), ExperimentResults),
    /** Measures a short run of each method that was not measured before. */
    'experiments.estimate': call(ExperimentPlan, PlanEstimate),
    /** Writes all of it into one HTML file that needs nothing else. */
    'experiments.report': call(
      z.object({ experiment: id, path: filePath, overwrite: z.boolean().default(false) }),
      z.object({ path: z.string(), bytes: z.number().int() }),
    ),
    /** Goes on with what failed, was stopped or deleted. */
    'experiments.resume': call(z.object({ experiment: id }), Experiment),
    /** Takes its runs out of the queue and plans no more. */
    'experiments.stop': call(z.object({ experiment: id }), Experiment),
  },
  events: {
    task: Task,
    run: Run,
    'run.deleted': z.object({ run: id }),
    /** Fine-grained progress of a running run. */
    'run.progress': z.object({ run: id, phase: Phase, done: z.number(), total: z.number() }),
    'run.metrics': z.object({ run: id, step: z.number().int(), values: z.record(z.string(), z.number()) }),
    'datasets.changed': none,
    'models.changed': none,
  },
} as const;

export type Calls = typeof contract.calls;
export type CallName = keyof Calls;
export type CallInput<N extends CallName> = z.input<Calls[N]['input']>;
export type CallOutput<N extends CallName> = z.output<Calls[N]['output']>;
type Events = typeof contract.events;
export type EventName = keyof Events;
export type EventData<N extends EventName> = z.output<Events[N]>;

/** The service as a caller sees it, whatever lies between. */
export interface Client {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>>;
  /** Subscribes; returns the function that ends it. */
  on<N extends EventName>(name: N, listener: (data: EventData<N>) => void): () => void;
}

/** Frames on a WebSocket or a message port. */
export type ClientFrame = { id: number; call: CallName; input: unknown };
export type ServiceFrame =
  | { id: number; output: unknown }
  | { id: number; error: z.infer<typeof ErrorValueSchema> }
  | { event: EventName; data: unknown };
