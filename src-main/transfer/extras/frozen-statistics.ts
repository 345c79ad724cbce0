import { z } from 'zod';
import { term } from '../term.ts';

/**
 * Batch norm with the pre-trained running statistics while training, which stay as they are; scales and shifts are trained.
 * Kumar et al., «Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution», ICLR 2022, appendix.
 */
export const frozenStatistics = term({
  name: 'frozen-batch-norm',
  title: 'Frozen batch norm',
  help: 'normalizes with the pre-trained statistics while training, too, instead of those of each batch',
  formula: 'y = γ (x − μ⁰) / √(σ⁰² + ε) + β',
  when: 'small batches, or images like those that the network was pre-trained on',
  source:
    'Kumar et al., «Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution», ICLR 2022 (batch norm in evaluation mode, as its code has it)',
  options: z.strictObject({}),
  needs: ['pretrained-weights'],
  frozenStatistics: () => true,
});
