import type { TaskName } from '../../src-shared/names.ts';
import { imageClassification } from './image-classification.ts';
import type { Task } from './task.ts';
import { textClassification } from './text-classification.ts';
import { tokenClassification } from './token-classification.ts';

const tasks: Record<TaskName, Task> = {
  'image-classification': imageClassification,
  'text-classification': textClassification,
  'token-classification': tokenClassification,
};

/** What a task does where it trains. */
export const taskOf = (name: TaskName): Task => tasks[name];
