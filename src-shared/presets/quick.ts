import type { Preset } from './preset.ts';

/** What two cores finish in minutes: the paper's rates with a smaller crop and budget. */
export const quick: Preset = {
  name: 'quick',
  title: 'Quick',
  help: '300 steps, batch 32, crop up to 128: minutes on any machine.',
  takes: 'images',
  steps: 300,
  batch: 32,
  size: { atMost: 128 },
  learningRate: 0.001,
  // SqueezeNet on ten species of monkeys ends at chance with 0.001.
  learningRateBehindRelu: 0.0003,
  headLearningRateMultiplier: 10,
  decay: 2 / 3,
  longestStretch: 250,
  select: 'last',
  // What a search of 100 steps on 100 classes of birds chose at both rates that it was made for (docs/evidence.md): a short training
  // wants less of these than was published for long ones.
  parts: {
    method: [
      { name: 'cotuning', tradeOff: 0.23 },
      { name: 'delta', alpha: 0.001 },
      { name: 'stochnorm', probability: 0.25 },
      { name: 'bi-tuning', tradeOff: 0.1 },
    ],
  },
};
