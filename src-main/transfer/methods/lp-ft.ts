import { z } from 'zod';
import { probedHead } from '../linear-probe.ts';
import { term } from '../term.ts';

const ownHead = 'both begin with a network of their own.';

/**
 * LP-FT: fine-tuning that begins with the linear probe's head, batch norm in evaluation mode. Gradients through a head that
 * already fits are small, so that the pre-trained features are not distorted on the way.
 * Kumar, Raghunathan, Jones, Ma, Liang, ICLR 2022, section 3.4.
 */
export const lpft = term({
  name: 'lp-ft',
  title: 'LP-FT',
  help: 'solves for the best linear head first, then fine-tunes everything from there at a small learning rate, with batch norm frozen',
  formula: 'CE(H(F(x)), y_t), H⁰ the linear probe of F⁰',
  when: 'test images unlike the training images, or few labels; where a random head would undo good features',
  source:
    'Kumar, Raghunathan, Jones, Ma, Liang, «Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution», ICLR 2022, section 3.4; batch norm in evaluation mode and learning rates from 1e-5 to 1e-2, one for all layers, as in its code',
  options: z.strictObject({
    frozenStatistics: z.boolean().default(true).meta({
      title: 'Frozen batch norm',
      description: 'normalizes with the pre-trained statistics, as the linear probe did',
    }),
  }),
  needs: ['linear-head'],
  // The head is solved for: ten times the backbone's rate, which a new one needs, would undo it.
  defaults: { learningRate: 3e-4, headLearningRateMultiplier: 1 },
  excludes: { scratch: ownHead },
  frozenStatistics: ({ frozenStatistics }) => frozenStatistics,
  begins: 'images',
  prepares: 'solving for the linear head',
  prepare: async (preparation) => ({ network: await probedHead(preparation) }),
});
