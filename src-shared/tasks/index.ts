import type { TaskName } from '../names.ts';
import { imageClassification } from './image-classification.ts';
import type { TaskDescription } from './task.ts';
import { textClassification } from './text-classification.ts';
import { tokenClassification } from './token-classification.ts';

const tasks: readonly TaskDescription[] = [imageClassification, textClassification, tokenClassification];

export const taskNamed = (name: TaskName): TaskDescription => tasks.find((task) => task.name === name)!;
