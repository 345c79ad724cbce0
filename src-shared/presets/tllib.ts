import type { Preset } from './preset.ts';

/**
 * The authors' library, thuml/Transfer-Learning-Library (`examples/task_adaptation/image_classification`): 20 rounds of 500
 * steps, crops of 0.2 to 1, the rate × 0.1 after round 12, tested on the center crop. The library keeps the round that is best on
 * the test images; here the best is chosen on validation images after every round, and the test images are seen once.
 */
export const tllib: Preset = {
  name: 'tllib',
  title: 'TLlib',
  help: '10,000 steps, batch 48, crop 224: the authors’ library. It chooses the best round on test images; here validation images choose, so figures come out lower than its tables.',
  takes: 'images',
  steps: 10_000,
  batch: 48,
  size: 224,
  learningRate: 0.001,
  headLearningRateMultiplier: 10,
  decay: 12 / 20,
  longestStretch: 500,
  select: 'best',
  parts: {
    resize: { name: 'crop' },
    crop: { name: 'random-crop', scale: [0.2, 1] },
    evaluation: { name: 'center-crop' },
    optimizer: { name: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  },
};
