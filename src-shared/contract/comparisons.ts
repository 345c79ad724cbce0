/** Runs against each other: what differs, image by image, and what the numbers allow to be said. */
import { z } from 'zod';
import { Sample, TaskName } from '../domain.ts';
import { call, id, page } from './call.ts';

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

/** The tags that a sentence had when a run was tested, and those that it predicted. */
const JudgedTags = z.object({ gold: z.array(z.string()), predicted: z.array(z.string()) });

/** An image that only one of two runs has right. */
export const ChangedImage = z.object({
  sample: Sample,
  predictedA: z.number().int(),
  predictedB: z.number().int(),
  /** Of a tagged text. */
  tagsA: JudgedTags.optional(),
  tagsB: JudgedTags.optional(),
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

export const comparisonCalls = {
  'runs.compare': call(z.object({ runs: z.array(id).min(2).max(10_000) }), Comparison),
  'runs.comparePair': call(z.object({ a: id, b: id }), PairDetail),
  /** Images wrong in a and right in b (`fixed`), or the reverse (`broken`). */
  'runs.changes': call(
    z.object({ a: id, b: id, kind: z.enum(['fixed', 'broken']), ...page }),
    z.object({ total: z.number().int(), images: z.array(ChangedImage) }),
  ),
} as const;
