import type { Dataset, Sample } from '../../src-shared/domain.ts';
import { entitiesOf } from '../../src-shared/entities.ts';

type Counted = Pick<Sample, 'label' | 'split' | 'text'>;

/** How many samples there are in each split, and of each class in each: of tagged texts their entities. */
export function countClasses(
  samples: Iterable<Counted>,
  classes: readonly string[],
): Pick<Dataset, 'counts' | 'classCounts'> {
  const counts = { train: 0, val: 0, test: 0 };
  const classCounts = classes.map(() => ({ ...counts }));
  const places = new Map(classes.map((name, place) => [name, place]));
  for (const { label, split, text } of samples) {
    counts[split]++;
    const found = text?.tags ? entitiesOf(text.tags).map(({ type }) => places.get(type)!) : [label];
    for (const place of found) classCounts[place][split]++;
  }
  return { counts, classCounts };
}
