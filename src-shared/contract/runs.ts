/** Runs, what they predict and where their networks look, and networks on their way out. */
import { z } from 'zod';
import {
  ErrorValueSchema,
  PartChoice,
  PartsChoice,
  Run,
  RunConfig,
  RunStatus,
  Sample,
  Split,
  TextContent,
} from '../domain.ts';
import { call, filePath, id, none, ok, page } from './call.ts';

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
export const PredictionOrder = z.enum(['class', 'loss', 'loss-rising', 'confidence', 'confidence-rising']);
export type PredictionOrder = z.infer<typeof PredictionOrder>;

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

export const runCalls = {
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
} as const;
