import type { TaskDescription } from './task.ts';

export const imageClassification: TaskDescription = {
  name: 'image-classification',
  title: 'Image classification',
  sample: 'image',
  samples: 'images',
  takes: 'images',
  classesOf: 'samples',
  category: 'class',
  categories: ['class', 'classes'],
  leastClasses: 2,
  outputs: (classes) => [...classes],
  score: { title: 'accuracy', of: ({ accuracy }) => accuracy, curve: 'val_accuracy' },
  pairedTest: 'McNemar’s test',
};
