import { createHash } from 'node:crypto';

/** An image as far as what belongs together goes. */
interface Member {
  label: number;
  /** SHA-256 of its content. */
  hash: string;
}

/** Members that share a key, directly or through others, as groups; each member is in one. */
export function wholeGroups<T>(members: readonly T[], keysOf: (member: T) => readonly string[]): T[][] {
  const parents = members.map((_, index) => index);
  const rootOf = (index: number): number => {
    while (parents[index] !== index) {
      parents[index] = parents[parents[index]];
      index = parents[index];
    }
    return index;
  };
  const firsts = new Map<string, number>();
  for (const [index, member] of members.entries()) {
    for (const key of keysOf(member)) {
      const first = firsts.get(key);
      if (first === undefined) firsts.set(key, index);
      else parents[rootOf(index)] = rootOf(first);
    }
  }
  const groups = Map.groupBy(members.keys(), rootOf);
  return [...groups.values()].map((indices) => indices.map((index) => members[index]));
}

/**
 * Sets aside whole groups, which may be of several classes, so that about `share` of each class is taken and none is taken
 * wholly. The choice follows from `seed` and content alone. A class whose every group is larger than its share gives the
 * smallest one, where at least half of each class stays.
 */
export function takeGroups<T extends Member>(groups: readonly T[][], share: number, seed: string): Set<T> {
  const totals = countByLabel(groups.flat());
  const draw = (group: T[]) => {
    const key = group.reduce((least, { hash }) => (hash < least ? hash : least), group[0].hash);
    return createHash('sha256').update(`${seed}\n${key}`).digest('hex');
  };
  const drawn = groups
    .map((group) => ({ group, counts: countByLabel(group), at: draw(group) }))
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  const taken = new Set<T>();
  const takenOf = new Map<number, number>();
  const of = (label: number) => takenOf.get(label) ?? 0;
  const take = ({ group, counts }: (typeof drawn)[number]) => {
    for (const member of group) taken.add(member);
    for (const [label, count] of counts) takenOf.set(label, of(label) + count);
  };
  const fits = ({ counts }: (typeof drawn)[number], most: (total: number) => number) =>
    [...counts].every(([label, count]) => of(label) + count <= most(totals.get(label)!));
  for (const one of drawn) if (fits(one, (total) => Math.round(total * share))) take(one);
  for (const label of totals.keys()) {
    if (of(label) > 0) continue;
    const [smallest] = drawn
      .filter((one) => one.counts.has(label) && fits(one, (total) => total / 2))
      .sort((a, b) => a.group.length - b.group.length);
    if (smallest) take(smallest);
  }
  return taken;
}

function countByLabel(members: readonly Member[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { label } of members) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
