import { createHash } from 'node:crypto';
import type { Sample } from '../../src-shared/domain.ts';

export interface SplitOptions {
  /** Share in (0, 1] of each class's training images that is used, after the validation images are set aside. */
  rate: number;
  seed: number;
  /** Share of each class's training images set aside for validation where the dataset has no validation split. */
  valFraction: number;
}

export interface ChosenSamples<S extends Sample> {
  train: S[];
  val: S[];
  test: S[];
  notes: string[];
}

/**
 * Chooses a run's images per class, never overall: first `valFraction` of a class's training images for validation
 * (rounded down, but one of three or more), then `rate` of the rest for training (at least one). The choice follows
 * from seed, label and content alone, not from the order or the names of the files; copies of one image stay on one
 * side, and a lower rate's images are among a higher rate's.
 */
export function splitSamples<S extends Sample>(
  samples: readonly S[],
  options: SplitOptions,
): ChosenSamples<S> {
  const { rate, seed, valFraction } = options;
  const of = (split: Sample['split']) => samples.filter((sample) => sample.split === split).sort(byPath);
  const given = of('val');
  const chosen: ChosenSamples<S> = { train: [], val: [...given], test: of('test'), notes: [] };
  const withoutValidation: string[] = [];
  for (const [label, members] of Map.groupBy(of('train'), (sample) => sample.label)) {
    const groups = shuffledGroups(members, (sample) => sample.hash, `validation ${seed} ${label}`);
    const wanted = Math.max(Math.floor(members.length * valFraction), members.length >= 3 ? 1 : 0);
    const held = new Set(given.length > 0 || valFraction === 0 ? [] : takeWhole(groups, wanted));
    const rest = groups.flat().filter((sample) => !held.has(sample));
    // One by one: a class may have more images than a call may have arguments.
    for (const sample of held) chosen.val.push(sample);
    for (const sample of rest.slice(0, Math.max(1, Math.round(rest.length * rate))))
      chosen.train.push(sample);
    if (given.length === 0 && held.size === 0) withoutValidation.push(classFolder(members[0].path));
  }
  if (withoutValidation.length > 0) {
    const more = withoutValidation.length > 5 ? ` and ${withoutValidation.length - 5} more` : '';
    const named = withoutValidation.slice(0, 5).join(', ') + more;
    chosen.notes.push(`Too few training images to set one aside for validation: ${named}.`);
  }
  return chosen;
}

/**
 * Members grouped by `keyOf`, the groups in an order drawn by `seed` from their keys: adding or removing a member
 * does not move the others.
 */
export function shuffledGroups<T>(members: readonly T[], keyOf: (member: T) => string, seed: string): T[][] {
  const draw = (key: string) => createHash('sha256').update(`${seed}\n${key}`).digest('hex');
  return [...Map.groupBy(members, keyOf)]
    .map(([key, group]) => ({ group, draw: draw(key) }))
    .sort((a, b) => (a.draw < b.draw ? -1 : 1))
    .map(({ group }) => group);
}

/** Whole groups from the front, as many as fit into `count` members, always leaving one group behind. */
export function takeWhole<T>(groups: readonly T[][], count: number): T[] {
  const taken: T[] = [];
  for (const group of groups.slice(0, -1)) {
    if (taken.length + group.length <= count) for (const member of group) taken.push(member);
  }
  return taken;
}

const byPath = (a: Sample, b: Sample): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

const classFolder = (path: string): string => path.split('/').at(-2) ?? path;
