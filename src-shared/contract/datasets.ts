/** Datasets, their samples and findings, what people change of them, and the features that networks make of them. */
import { z } from 'zod';
import {
  Dataset,
  DatasetFormatFacts,
  Edit,
  EngineChoice,
  Finding,
  FindingKindName,
  FindingState,
  Sample,
  Split,
  TextContent,
} from '../domain.ts';
import { call, filePath, id, newName, none, ok, page } from './call.ts';
import { PredictionOrder } from './runs.ts';
import { Task } from './system.ts';

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

/** Which columns of a table of images are which, by their names (or numbers from 1 where there are none); empty: no column is. */
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
    /** Its class; of a tagged sentence a tag for each word, in any of IOB1, IOB2 and IOBES. */
    to: z.union([newName, z.array(z.string().max(1000))]),
    /** Whether it may be a class, or types of entities, that are not there yet. */
    newClass: z.boolean().default(false),
    finding: id.optional(),
  }),
  z.strictObject({ action: z.literal('move'), path: z.string(), to: Split, finding: id.optional() }),
  z.strictObject({ action: z.literal('merge'), name: z.string(), into: z.string() }),
  z.strictObject({ action: z.literal('rename'), name: z.string(), to: newName }),
  z.strictObject({ action: z.literal('keep'), finding: id }),
]);
export type EditRequest = z.infer<typeof EditRequest>;

/** A filter of a dataset's pictures under a name. */
const View = z.object({
  id,
  name: z.string(),
  /** What the location says of the filter, by the names that it has there. */
  query: z.record(z.string().max(40), z.string().max(200)),
});
export type View = z.infer<typeof View>;

/** A dataset's images, and the one network that is asked about them. */
const ofNetwork = { dataset: z.string(), model: z.string().optional(), run: id.optional() };

export const datasetCalls = {
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
      /** Whether archives are unpacked into the data folder, and the dataset is read there; once done, it stays so. */
      unpack: z.boolean().default(false),
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
    /** `edit`: what they are called by, to take them back; null where none was made. */
    z.object({ made: z.number().int(), edit: id.nullable(), dataset: Dataset }),
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
} as const;
