import type { Sample } from '../../src-shared/domain.ts';
import { keyOf, permutation, randomOf } from './random.ts';

export interface SplitOptions {
  /** Share in (0, 1] of each class's training images that is used, after the validation images are set aside. */
  rate: number;
  seed: number;
  /** Share of each class's training images set aside for validation where the dataset has no validation split. */
  valFraction: number;
}

export interface ChosenSamples {
  train: Sample[];
  val: Sample[];
  test: Sample[];
  notes: string[];
}

/**
 * Chooses a run's images. Everything is per class, never overall, and depends on the seed and the images' paths
 * only, not on the order they are listed in. A class keeps at least one training image.
 */
export function splitSamples(samples: readonly Sample[], options: SplitOptions): ChosenSamples {
  const { rate, seed, valFraction } = options;
  const byPath = [...samples].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const of = (split: Sample['split']) => byPath.filter((sample) => sample.split === split);
  const given = of('val');
  const result: ChosenSamples = { train: [], val: [...given], test: of('test'), notes: [] };
  const withoutValidation: string[] = [];
  for (const [label, members] of Map.groupBy(of('train'), (sample) => sample.label)) {
    const order = permutation(members.length, randomOf(seed, label, keyOf('split')));
    const shuffled = Array.from(order, (index) => members[index]);
    const held =
      given.length > 0 ? 0 : Math.min(Math.floor(members.length * valFraction), members.length - 1);
    const rest = shuffled.slice(held);
    result.val.push(...shuffled.slice(0, held));
    result.train.push(...rest.slice(0, Math.max(1, Math.round(rest.length * rate))));
    if (given.length === 0 && held === 0)
      withoutValidation.push(shuffled[0].path.split('/').at(-2) ?? `${label}`);
  }
  if (withoutValidation.length > 0) {
    const more = withoutValidation.length > 5 ? ` and ${withoutValidation.length - 5} more` : '';
    const named = withoutValidation.slice(0, 5).join(', ') + more;
    result.notes.push(`Too few training images to set one aside for validation: ${named}.`);
  }
  return result;
}
