import { createHash } from 'node:crypto';
import type { Sample } from '../../src-shared/domain.ts';
import { byPath } from '../../src-shared/text-order.ts';
import type { Alike } from './alike.ts';
import { takeGroups, wholeGroups } from './whole-groups.ts';

export interface SplitOptions {
  /** Share in (0, 1] of each class's training images that is used, after the validation images are set aside. */
  rate: number;
  seed: number;
  /** Share of each class's training images set aside for validation where the dataset has no validation split. */
  valFraction: number;
  /** Images that show the same picture, by path: none of them stands on the other side of training and validation. */
  alike?: ReadonlyMap<string, Alike>;
  /** What must stay on one side of training and validation, by path: those of one patient, one video, one individual. */
  groups?: ReadonlyMap<string, string>;
  /** What samples are called in notes; images where it is left out. */
  called?: string;
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
 * from seed, label and content alone, not from the order or the names of the files; images that are alike stay on one
 * side (in training, where they are of several classes), and a lower rate's images are among a higher rate's. Of a given
 * validation split the images that training has too are left out.
 */
export function splitSamples<S extends Sample>(
  samples: readonly S[],
  options: SplitOptions,
): ChosenSamples<S> {
  const { rate, seed, valFraction, alike = new Map<string, Alike>(), groups: together } = options;
  const { called = 'images' } = options;
  const of = (split: Sample['split']) => samples.filter((sample) => sample.split === split).sort(byPath);
  const given = of('val');
  const apart = given.filter(({ path }) => !alike.get(path)?.trained);
  const chosen: ChosenSamples<S> = { train: [], val: apart.slice(), test: of('test'), notes: [] };
  if (apart.length < given.length) {
    const many = given.length - apart.length;
    chosen.notes.push(
      `${many} of ${given.length} validation ${called} show${many === 1 ? 's' : ''} what training ${called} show too, and ${many === 1 ? 'was' : 'were'} left out: nothing may be chosen by ${called} that were learned.`,
    );
  }
  const drawsValidation = apart.length === 0 && valFraction > 0;
  const wholes =
    drawsValidation && together && together.size > 0
      ? takeGroups(
          wholeGroups(of('train'), ({ path, hash }) => {
            const group = together.get(path);
            return [alike.get(path)?.key ?? hash, ...(group === undefined ? [] : [`group ${group}`])];
          }),
          valFraction,
          `validation ${seed}`,
        )
      : null;
  const withoutValidation: string[] = [];
  for (const [label, members] of Map.groupBy(of('train'), (sample) => sample.label)) {
    const keyOf = ({ path, hash }: S) => alike.get(path)?.key ?? hash;
    const groups = shuffledGroups(members, keyOf, `validation ${seed} ${label}`);
    const free = groups.filter(([first]) => !alike.get(first.path)?.acrossClasses);
    const wanted = Math.max(Math.floor(members.length * valFraction), members.length >= 3 ? 1 : 0);
    const held = wholes
      ? new Set(members.filter((member) => wholes.has(member)))
      : new Set(drawsValidation ? takeWhole(free, wanted, groups.length) : []);
    const rest = groups.flat().filter((sample) => !held.has(sample));
    // One by one: a class may have more images than a call may have arguments.
    for (const sample of held) chosen.val.push(sample);
    for (const sample of rest.slice(0, Math.max(1, Math.round(rest.length * rate))))
      chosen.train.push(sample);
    if (apart.length === 0 && held.size === 0) withoutValidation.push(classFolder(members[0].path));
  }
  if (withoutValidation.length > 0) {
    const more = withoutValidation.length > 5 ? ` and ${withoutValidation.length - 5} more` : '';
    const named = withoutValidation.slice(0, 5).join(', ') + more;
    chosen.notes.push(`Too few training ${called} to set one aside for validation: ${named}.`);
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

/** Whole groups from the front, as many as fit into `count` members, always leaving one of `all` groups behind. */
export function takeWhole<T>(groups: readonly T[][], count: number, all = groups.length): T[] {
  const taken: T[] = [];
  for (const group of groups.slice(0, all - 1)) {
    if (taken.length + group.length <= count) for (const member of group) taken.push(member);
  }
  return taken;
}

const classFolder = (path: string): string => path.split('/').at(-2) ?? path;
