import type { Preset } from './preset.ts';

/**
 * The paper's repository, thuml/CoTuning (`train.py`, `utils/transforms.py`): pictures squashed to a square, crops of 0.08 to 1
 * of it, SGD with Nesterov momentum 0.9 and weight decay 5e-4, the rate × 0.1 at step 6,000 of 9,050, the last weights tested
 * on ten crops. (Its last checkpoint is that of step 9,000, and its lower right crops lie a pixel off the corner.)
 */
export const paper: Preset = {
  name: 'paper',
  title: 'Paper',
  help: '9,050 steps, batch 48, crop 224 of squashed pictures, tested on ten crops: as published; long without a GPU.',
  takes: 'images',
  steps: 9050,
  batch: 48,
  size: 224,
  learningRate: 0.001,
  headLearningRateMultiplier: 10,
  decay: 6000 / 9050,
  longestStretch: 500,
  select: 'last',
  parts: {
    resize: { name: 'squash' },
    crop: { name: 'random-crop', scale: [0.08, 1] },
    evaluation: { name: 'ten-crop' },
    optimizer: { name: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  },
};
