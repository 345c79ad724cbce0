/** Runs that differ only in seed, taken together, and such groups against each other. */
import type { GroupDifference, GroupSummary, Interval } from './contract.ts';
import type { RunConfig } from './domain.ts';
import {
  accuracy,
  type ComparedRun,
  configDifferences,
  excludesZero,
  gain,
  inPoints,
  type SharedImage,
  sharedImages,
  unlikeness,
} from './paired-images.ts';
import { bootstrapCrossedMean, meanAndSd } from './statistics.ts';

export interface Group {
  members: ComparedRun[];
  summary: GroupSummary;
}

/** Runs that agree in everything but the seed and what follows from it, in order of appearance. */
export function groupBySettings(runs: readonly ComparedRun[]): Group[] {
  const groups = new Map<string, ComparedRun[]>();
  for (const compared of runs) {
    const { config, datasetHash, modelHash } = compared.run;
    const key = JSON.stringify([{ ...config, seed: null }, datasetHash, modelHash]);
    groups.set(key, [...(groups.get(key) ?? []), compared]);
  }
  return [...groups.values()].map((members) => {
    const accuracies = meanAndSd(members.map((member) => accuracy(member).value));
    return {
      members,
      summary: {
        method: members[0].run.config.method,
        rate: members[0].run.config.rate,
        runs: members.map(({ run }) => run.id),
        accuracyMean: accuracies.mean,
        accuracySd: accuracies.sd,
        secondsMean: meanAndSd(members.map(({ run }) => run.timing?.total_s ?? 0)).mean,
      },
    };
  });
}

/**
 * Group `b` against group `a` over their common seeds; none where they share no seed or image, or differ in rate. The
 * table of gains (seeds × images) is one sample of seeds crossed with one of images: see bootstrapCrossedMean.
 */
export function compareGroups(first: Group, a: number, second: Group, b: number): GroupDifference[] {
  if (first.summary.rate !== second.summary.rate) return [];
  const pairs = first.members.flatMap((member) => {
    const partner = second.members.find(({ run }) => run.config.seed === member.run.config.seed);
    return partner ? [{ member, partner, shared: sharedImages(member, partner) }] : [];
  });
  const images = commonImages(pairs.map(({ shared }) => shared));
  if (images.length === 0) return [];
  const table = pairs.map(({ shared }) => {
    const gains = new Map(shared.map((image) => [image.sample.id, gain(image)]));
    return images.map((id) => gains.get(id)!);
  });
  const bySeed = meanAndSd(table.map((row) => meanAndSd(row).mean));
  const [low, high] = bootstrapCrossedMean(table);
  const difference = { value: bySeed.mean, low, high };
  const distinguishable = excludesZero(difference);
  return [
    {
      a,
      b,
      seeds: pairs.map(({ member }) => member.run.config.seed),
      difference,
      seedSd: bySeed.sd,
      distinguishable,
      reasons: [
        ...new Set(
          pairs.flatMap(({ member, partner, shared }) => unlikeness(member, partner, shared.length)),
        ),
      ],
      verdict: groupVerdict(first, second, difference, pairs.length, images.length),
    },
  ];
}

/** Ids of the images that every list holds. */
function commonImages(lists: SharedImage[][]): number[] {
  if (lists.length === 0) return [];
  const rest = lists.slice(1).map((list) => new Set(list.map(({ sample }) => sample.id)));
  return lists[0].map(({ sample }) => sample.id).filter((id) => rest.every((ids) => ids.has(id)));
}

function groupVerdict(
  first: Group,
  second: Group,
  difference: Interval,
  seeds: number,
  images: number,
): string {
  const [nameA, nameB] = groupNames(first.members[0].run.config, second.members[0].run.config);
  const over = `Over ${seeds} paired seed${seeds === 1 ? '' : 's'} and ${images} test images`;
  const figures = `difference ${inPoints(difference)}`;
  if (!excludesZero(difference)) return `${over}, ${nameB} and ${nameA} cannot be told apart: ${figures}.`;
  const [better, worse] = difference.value > 0 ? [nameB, nameA] : [nameA, nameB];
  return `${over}, ${better} is better than ${worse}: ${figures}.`;
}

/** Methods' names; where two groups share a method, with the settings that tell them apart. */
function groupNames(a: RunConfig, b: RunConfig): [string, string] {
  if (a.method !== b.method) return [a.method, b.method];
  const differences = configDifferences(a, b).filter(({ key }) => key !== 'seed');
  const name = (side: 'a' | 'b') =>
    `${a.method} (${differences.map((difference) => `${difference.key} ${difference[side]}`).join(', ')})`;
  return [name('a'), name('b')];
}
