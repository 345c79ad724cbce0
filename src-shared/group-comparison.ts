/** Groups of runs that differ only in seed, against each other. */
import type { GroupDifference, GroupSummary, Interval } from './contract.ts';
import type { Run } from './domain.ts';
import type { Group } from './groups.ts';
import { holm } from './multiple-tests.ts';
import { type ComparedRun, type SharedImages, sharedImages, unlikeness } from './paired-images.ts';
import { pointScore, scoreDifference, scoreGains } from './run-scores.ts';
import { methodDifference } from './seeds-by-images.ts';
import { level, meanAndSd } from './statistics.ts';
import { taskNamed } from './tasks/index.ts';
import { methodsVerdict, networksVerdict } from './verdicts.ts';

/** `members` are the group's runs with their predictions. */
export function summarize(group: Group<Run>, members: readonly ComparedRun[]): GroupSummary {
  const accuracies = meanAndSd(members.map((one) => pointScore(one)));
  return {
    name: group.name,
    method: group.method,
    rate: group.runs[0].config.rate,
    runs: group.runs.map(({ id }) => id),
    seeds: group.runs.map(({ config }) => config.seed),
    repeats: group.repeats.map(({ id }) => id),
    accuracyMean: accuracies.mean,
    accuracySd: accuracies.sd,
    secondsMean: meanAndSd(group.runs.map(({ timing }) => timing?.total_s ?? 0)).mean,
  };
}

/** Two groups before it is known how many verdicts stand beside theirs. */
interface Difference {
  a: number;
  b: number;
  pairs: { member: ComparedRun; partner: ComparedRun }[];
  images: number;
  reasons: string[];
  difference: Interval;
  p: number;
  seedSd: number | null;
}

/** Group `b` against group `a` over the seeds that both have; null where they share no seed or no image. */
export function compareGroups(
  first: readonly ComparedRun[],
  a: number,
  second: readonly ComparedRun[],
  b: number,
): Difference | null {
  const partners = new Map(second.map((one) => [one.run.config.seed, one]));
  const pairs = first.flatMap((member) => {
    const partner = partners.get(member.run.config.seed);
    return partner
      ? [{ member, partner, shared: sharedImages(member.predictions, partner.predictions) }]
      : [];
  });
  const common = onCommonImages(pairs);
  const images = common[0]?.shared.gains.length ?? 0;
  if (images === 0) return null;
  const gains = common.map(({ member, partner, shared }) => scoreGains(member, partner, shared));
  const [{ member: one, partner: other, shared: alone }] = common;
  const { p, ...difference } =
    gains.length === 1 ? scoreDifference(one, other, alone) : methodDifference(gains);
  return {
    a,
    b,
    pairs,
    images,
    reasons: [
      ...new Set(
        pairs.flatMap(({ member, partner, shared }) => unlikeness(member, partner, shared.gains.length)),
      ),
    ],
    difference,
    p,
    seedSd: meanAndSd(gains.map((row) => sumOf(row) / images)).sd,
  };
}

/** Adds what depends on all of them: p-values adjusted for their number, and verdicts. */
export function judgeGroups(differences: readonly Difference[], names: readonly string[]): GroupDifference[] {
  const judged = differences.filter(({ reasons }) => reasons.length === 0);
  const adjusted = new Map(holm(judged.map(({ p }) => p)).map((p, i) => [judged[i], p]));
  return differences.map((one) => {
    const { pairs, ...rest } = one;
    const { a, b } = rest;
    const adjustedP = adjusted.get(one) ?? null;
    const test = {
      ...rest,
      adjustedP,
      verdicts: judged.length,
      distinguishable: adjustedP !== null && adjustedP <= level,
    };
    const named = ({ run }: ComparedRun, name: string) => `run ${run.id} (${name})`;
    const [{ member, partner }] = pairs;
    const over = { task: taskNamed(member.run.task), count: rest.images };
    const verdict =
      pairs.length === 1
        ? networksVerdict(named(member, names[a]), named(partner, names[b]), over, test)
        : methodsVerdict(names[a], names[b], pairs.length, over, test);
    const about = adjustedP === null ? 'none' : pairs.length === 1 ? 'networks' : 'methods';
    return { ...test, about, seeds: pairs.map((pair) => pair.member.run.config.seed), verdict };
  });
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

interface Pair {
  member: ComparedRun;
  partner: ComparedRun;
  shared: SharedImages;
}

/** Every pair on the images that all of them share. */
function onCommonImages(pairs: readonly Pair[]): readonly Pair[] {
  const [first, ...rest] = pairs.map(({ shared }) => shared);
  if (!first || rest.every(({ ids }) => ids === first.ids)) return pairs;
  const others = rest.map(({ ids }) => new Set(Array.from(ids)));
  const common = new Set(Array.from(first.ids).filter((id) => others.every((known) => known.has(id))));
  return pairs.map((pair) => ({ ...pair, shared: among(pair.shared, common) }));
}

function among({ ids, inA, inB, gains }: SharedImages, common: ReadonlySet<number>): SharedImages {
  const kept = Array.from(ids, (_, k) => k).filter((k) => common.has(ids[k]));
  const some = Int8Array.from(kept, (k) => gains[k]);
  return {
    ids: kept.map((k) => ids[k]),
    inA: kept.map((k) => inA[k]),
    inB: kept.map((k) => inB[k]),
    gains: some,
    fixed: some.filter((gain) => gain > 0).length,
    broken: some.filter((gain) => gain < 0).length,
  };
}
