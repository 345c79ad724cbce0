/** The program itself: its machine, long pieces of work, and the parts that trainings are put together from. */
import { z } from 'zod';
import { ErrorValueSchema } from '../domain.ts';
import { needs, slots } from '../parts.ts';
import { call, folderPath, id, none, ok } from './call.ts';

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
  /** What a person should know of its result, e.g. what was left out. */
  notes: z.array(z.string()),
});
export type Task = z.infer<typeof Task>;

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

export const systemCalls = {
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
} as const;
