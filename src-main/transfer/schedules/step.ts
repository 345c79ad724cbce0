import { z } from 'zod';
import { CotuneError } from '../../../src-shared/errors.ts';
import { schedule } from '../schedule.ts';

/** Step decay: the rate is multiplied by γ at each of the steps `decayAt`, counted from 0 (PyTorch's MultiStepLR). */
export const step = schedule({
  name: 'step',
  title: 'Step',
  help: 'the learning rate falls by a factor at given steps',
  formula: 'lr · γ^(number of decay steps that have passed)',
  when: 'the published setting of most methods here',
  source:
    'You et al., NeurIPS 2020, section 5 (× 0.1 at step 6,000 of 9,050); as torch.optim.lr_scheduler.MultiStepLR',
  options: z.strictObject({
    decayAt: z.array(z.number().int().positive()).optional().meta({
      unit: 'steps',
      title: 'Decay at steps',
      description: 'steps at which the rate falls; after two thirds of the steps where none is given',
    }),
    decayFactor: z
      .number()
      .gt(0)
      .max(1)
      .default(0.1)
      .meta({ title: 'Decay factor', description: 'what the rate is multiplied by' }),
  }),
  factor: (at, _, { decayAt = [], decayFactor }) =>
    decayFactor ** decayAt.filter((step) => at >= step).length,
  complete({ decayAt, decayFactor }, { steps, decay }) {
    const late = decayAt?.filter((at) => at >= steps) ?? [];
    if (late.length > 0)
      throw new CotuneError(
        'bad-input',
        `decayAt names step ${late.join(', ')}, but the run has ${steps} steps.`,
        'Name steps before the end, or an empty list for a constant learning rate.',
      );
    const usual = steps > 1 ? [Math.max(1, Math.round(steps * decay))].filter((at) => at < steps) : [];
    return { decayAt: decayAt ?? usual, decayFactor };
  },
});
