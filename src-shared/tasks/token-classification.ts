import type { TaskDescription } from './task.ts';

/** Named entities: a tag for every word, in IOB2, whose types are the dataset's classes. */
export const tokenClassification: TaskDescription = {
  name: 'token-classification',
  title: 'Token classification',
  sample: 'sentence',
  samples: 'sentences',
  takes: 'texts',
  classesOf: 'entities',
  category: 'type',
  categories: ['type of entity', 'types of entities'],
  leastClasses: 1,
  outputs: (types) => ['O', ...types.flatMap((type) => [`B-${type}`, `I-${type}`])],
  score: { title: 'entity F1', of: ({ entities }) => entities?.f1 ?? 0, curve: 'val_entity_f1' },
  pairedTest: 'Approximate randomization',
};
