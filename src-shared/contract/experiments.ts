/** Experiments: methods × rates × seeds with the same search for each, what they come to and what they will take. */
import { z } from 'zod';
import { ErrorValueSchema, PartsChoice, RunStatus, TaskName } from '../domain.ts';
import { usualSearch } from '../search.ts';
import { call, filePath, id, newName, none } from './call.ts';
import { RunRequest } from './runs.ts';

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
  /** What is learned: accuracies below are the score by which that is judged. */
  task: TaskName,
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

export const experimentCalls = {
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
} as const;
