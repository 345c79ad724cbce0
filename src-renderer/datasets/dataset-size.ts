import type { Dataset } from '../../src-shared/domain.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { plural } from '../format.ts';

/** `5,000 sentences · 4 types of entities`. */
export function datasetSize({ task, counts, classes }: Pick<Dataset, 'task' | 'counts' | 'classes'>): string {
  const { sample, samples, categories } = taskNamed(task);
  return `${plural(counts.train + counts.val + counts.test, sample, samples)} · ${plural(classes.length, ...categories)}`;
}
