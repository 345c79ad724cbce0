/** Pre-trained networks, what is ranked and measured of them, and relationships. */
import { z } from 'zod';
import {
  Approach,
  Architecture,
  ArchitectureTitle,
  EngineChoice,
  ListedRelationship,
  Model,
  Preprocessing,
  Relationship,
  RelationshipRow,
} from '../domain.ts';
import { call, classFile, filePath, id, newName, none, ok } from './call.ts';
import { Task } from './system.ts';

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

export const modelCalls = {
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
} as const;
