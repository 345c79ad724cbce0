/** Groups of runs that differ only in seed, against each other. */
import type { GroupDifference, GroupSummary, Interval } from './contract.ts';
import type { Run } from './domain.ts';
import type { Group } from './groups.ts';
import { holm } from './multiple-tests.ts';
import { type ComparedRun, hits, type SharedImages, sharedImages, unlikeness } from './paired-images.ts';
import { networkDifference } from './paired-networks.ts';
import { methodDifference } from './seeds-by-images.ts';
import { level, meanAndSd } from './statistics.ts';
import { methodsVerdict, networksVerdict } from './verdicts.ts';

/** `members` are the group's runs with their predictions. */
export function summarize(group: Group<Run>, members: readonly ComparedRun[]): GroupSummary {
  const accuracies = meanAndSd(members.map((one) => hits(one) / one.predictions.labels.length));
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
  const gains = commonGains(pairs);
  if (gains.length === 0 || gains[0].length === 0) return null;
  const images = gains[0].length;
  const { p, ...difference } =
    gains.length === 1
      ? networkDifference(count(gains[0], -1), count(gains[0], 1), images)
      : methodDifference(gains);
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
    seedSd: meanAndSd(gains.map((row) => (count(row, 1) - count(row, -1)) / images)).sd,
  };
}

/** Adds what depends on all of them: p-values adjusted for their number, and verdicts. */
export function judgeGroups(differences: readonly Difference[], names: readonly string[]): GroupDifference[] {
  const judged = differences.filter(({ reasons }) => reasons.length === 0);
  const adjusted = new Map(holm(judged.map(({ p }) => p)).map((p, i) => [judged[i], p]));
  return differences.map((one) => {
    const { pairs, ...rest } = one;
    const { a, b, images } = rest;
    const adjustedP = adjusted.get(one) ?? null;
    const test = {
      ...rest,
      adjustedP,
      verdicts: judged.length,
      distinguishable: adjustedP !== null && adjustedP <= level,
    };
    const named = ({ run }: ComparedRun, name: string) => `run ${run.id} (${name})`;
    const [{ member, partner }] = pairs;
    const verdict =
      pairs.length === 1
        ? networksVerdict(named(member, names[a]), named(partner, names[b]), images, test)
        : methodsVerdict(names[a], names[b], pairs.length, images, test);
    const about = adjustedP === null ? 'none' : pairs.length === 1 ? 'networks' : 'methods';
    return { ...test, about, seeds: pairs.map((pair) => pair.member.run.config.seed), verdict };
  });
}

function count(gains: Int8Array, what: number): number {
  let found = 0;
  for (let i = 0; i < gains.length; i++) if (gains[i] === what) found++;
  return found;
}

/** Gains of every pair on the images that all of them share. */
function commonGains(pairs: readonly { shared: SharedImages }[]): Int8Array[] {
  const [first, ...rest] = pairs.map(({ shared }) => shared);
  if (!first) return [];
  if (rest.every(({ ids }) => ids === first.ids)) return [first, ...rest].map(({ gains }) => gains);
  const others = rest.map(({ ids }) => new Set(Array.from(ids)));
  const common = new Set(Array.from(first.ids).filter((id) => others.every((known) => known.has(id))));
  return pairs.map(({ shared }) => shared.gains.filter((_, k) => common.has(shared.ids[k])));
}
