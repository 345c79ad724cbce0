import type { TaskDescription } from './task.ts';

export const textClassification: TaskDescription = {
  name: 'text-classification',
  title: 'Text classification',
  sample: 'text',
  samples: 'texts',
  takes: 'texts',
  classesOf: 'samples',
  category: 'class',
  categories: ['class', 'classes'],
  leastClasses: 2,
  outputs: (classes) => [...classes],
  score: { title: 'accuracy', of: ({ accuracy }) => accuracy, curve: 'val_accuracy' },
  pairedTest: 'McNemar’s test',
};
