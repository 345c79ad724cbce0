import { type Catalog, places, type Slot } from '../../src-shared/parts.ts';
import { settingTitle } from '../../src-shared/setting-title.ts';
import type { numberFields, Takes } from './training-form.ts';

/** What a form's fields of numbers are called. */
export const fieldTitles = (takes: Takes): Record<(typeof numberFields)[number], string> => ({
  batch: 'Batch size',
  size: takes === 'images' ? 'Input, px' : 'Input, pieces',
  learningRate: 'Learning rate',
  headLearningRateMultiplier: 'Head rate ×',
  evaluateEvery: 'Validate every, steps',
  checkpointEvery: 'Checkpoint every, steps',
});

/** What a person reads for a setting of a run, by the key that its configuration has: as the form calls it. */
export function titleOfSetting(key: string, catalog: Catalog | null, takes: Takes): string {
  const field = (fieldTitles(takes) as Record<string, string>)[key] ?? places[key as Slot]?.title;
  if (field !== undefined) return field;
  if (key === 'select') return 'Tested weights';
  // Options that stand on their own are the method's.
  const option = catalog?.method.flatMap(({ options }) => options).find(({ name }) => name === key);
  return option?.title ?? capitalized(settingTitle(key));
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
