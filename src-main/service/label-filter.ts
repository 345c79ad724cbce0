import type { TaskName } from '../../src-shared/names.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';

/** Which samples are meant by a class of a dataset: those of it, or where classes are of entities those with one. */
export const labelFilter = (
  task: TaskName,
  classes: readonly string[],
  label: number | undefined,
): { label?: number; type?: string } =>
  label !== undefined && taskNamed(task).classesOf === 'entities'
    ? { type: classes[label] ?? '' }
    : { label };
