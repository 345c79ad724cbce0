import type { Preset } from './preset.ts';

/**
 * What fine-tuning of BERT is published with: batches of 32 texts, AdamW, linear warm-up and decay, gradients clipped at 1 (Devlin et
 * al., NAACL 2019, appendix A.3); co-tuning's λ of 0.7 and 128 pieces are those of its paper's repository, thuml/CoTuning (`nlp/readme.md`),
 * whose relationship looks like mean predictions.
 */
export const bert: Preset = {
  name: 'bert',
  title: 'BERT',
  help: '1,000 steps, batch 32, texts of up to 128 pieces, AdamW: the usual fine-tuning of a BERT. One much smaller than the published ones wants a greater learning rate.',
  takes: 'texts',
  steps: 1000,
  batch: 32,
  size: { atMost: 128 },
  learningRate: 5e-5,
  headLearningRateMultiplier: 1,
  decay: 2 / 3,
  longestStretch: 250,
  select: 'last',
  parts: {
    method: [{ name: 'cotuning', tradeOff: 0.7, approach: 'direct' }],
    extras: [{ name: 'gradient-clipping', norm: 1 }],
    optimizer: { name: 'adamw', weightDecay: 0.01 },
    schedule: { name: 'linear' },
  },
};
