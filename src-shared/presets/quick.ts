import type { Preset } from './preset.ts';

/** What two cores finish in minutes: the paper's rates with a smaller crop and budget. */
export const quick: Preset = {
  name: 'quick',
  title: 'Quick',
  help: '300 steps, batch 32, crop up to 128: minutes on any machine.',
  steps: 300,
  batch: 32,
  size: { atMost: 128 },
  learningRate: 0.001,
  headLearningRateMultiplier: 10,
  decay: 2 / 3,
  longestStretch: 250,
  select: 'last',
  parts: {},
};
