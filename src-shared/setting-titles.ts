/** What a person reads for the settings of a run, in forms, tables and the command line alike. */
import { type Catalog, optionTitle, places, type Slot } from './parts.ts';
import { settingTitle } from './setting-title.ts';
import type { TaskDescription } from './tasks/task.ts';

type Takes = TaskDescription['takes'];

/** What a form's fields of numbers are called. */
export const fieldTitles = (takes: Takes) => ({
  batch: 'Batch size',
  size: takes === 'images' ? 'Input, px' : 'Input, pieces',
  learningRate: 'Learning rate',
  headLearningRateMultiplier: 'Head rate ×',
  evaluateEvery: 'Validate every, steps',
  checkpointEvery: 'Checkpoint every, steps',
});

/** The title of a setting by the key that a run's configuration has. */
export function titleOfSetting(key: string, catalog: Catalog | null, takes: Takes): string {
  const field = (fieldTitles(takes) as Record<string, string>)[key] ?? places[key as Slot]?.title;
  if (field !== undefined) return field;
  if (key === 'select') return 'Tested weights';
  return (catalog && optionTitle(key, catalog)) ?? capitalized(settingTitle(key));
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
