import type { Dataset, FindingKindName } from '../../src-shared/domain.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';

/** A finding about classes: `path` and `other` are their names. */
export interface ClassFinding {
  kind: FindingKindName;
  path: string;
  other?: string;
  detail: string;
  score: number;
}

/** The kinds that are found anew whenever a dataset's classes or counts change. */
export const classFindingKinds = ['class-spelling', 'class-missing', 'imbalance'] as const;

/** From so many times as many training images as the smallest class has, the largest one outweighs it. */
const imbalanceFrom = 10;

/** What is noticed about the classes of a dataset as it is edited. */
export function classFindings({
  classes,
  classCounts,
  counts,
  task: name,
}: Pick<Dataset, 'classes' | 'classCounts' | 'counts' | 'task'>): ClassFinding[] {
  const task = taskNamed(name);
  const [one, many] = task.classesOf === 'entities' ? ['entity', 'entities'] : [task.sample, task.samples];
  return [...spellings(), ...missing(), ...imbalance()];

  function spellings(): ClassFinding[] {
    return [...Map.groupBy(classes, plainName).values()].flatMap((names) => {
      // Into the one that has most images, the others are merged.
      const [largest, ...others] = names.toSorted((a, b) => sizeOf(b) - sizeOf(a));
      return others.map(
        (other): ClassFinding => ({
          kind: 'class-spelling',
          path: other,
          other: largest,
          detail: `its name differs from ${largest} only by case, accents, blanks or dashes`,
          score: sizeOf(other),
        }),
      );
    });
  }

  function missing(): ClassFinding[] {
    return classes.flatMap((name, label) =>
      (['train', 'test', 'val'] as const)
        .filter((split) => counts[split] > 0 && classCounts[label][split] === 0)
        .map(
          (split): ClassFinding => ({
            kind: 'class-missing',
            path: name,
            detail: {
              train: `it has no training ${one}: nothing can be learned about it`,
              test: `it has no test ${one}: nothing is known of how well it is told`,
              val: `it has no validation ${one}: no choice is made for it`,
            }[split],
            // Without training images it is lost; without others it goes untested.
            score: split === 'train' ? 2 : 1,
          }),
        ),
    );
  }

  function imbalance(): ClassFinding[] {
    const sizes = classes
      .map((name, label) => ({ name, images: classCounts[label].train }))
      .filter(({ images }) => images > 0)
      .sort((a, b) => a.images - b.images);
    const [least, most] = [sizes[0], sizes.at(-1)];
    if (!least || !most || most.images < imbalanceFrom * least.images) return [];
    return [
      {
        kind: 'imbalance',
        path: least.name,
        other: most.name,
        detail: `of its ${many} ${least.images} are for training, of ${most.name} ${most.images}`,
        score: most.images / least.images,
      },
    ];
  }

  function sizeOf(name: string): number {
    const { train, val, test } = classCounts[classes.indexOf(name)];
    return train + val + test;
  }
}

/** A class's name without case, accents, blanks, dashes and underscores: two with the same are likely one. */
export const plainName = (name: string): string =>
  name
    .normalize('NFD')
    .replaceAll(/[\p{Diacritic}\s_-]/gu, '')
    .toLowerCase();
