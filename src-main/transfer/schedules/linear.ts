import { z } from 'zod';
import { CotuneError } from '../../../src-shared/errors.ts';
import { schedule } from '../schedule.ts';

/** Share of the steps in which the rate rises where no number is given. */
const usualWarmup = 0.1;

/**
 * Linear warm-up over the first w steps, (t + 1) / w, then linear decay to nothing at the end, (T − t) / (T − w). Devlin et al., «BERT»,
 * NAACL 2019, appendix A.2; as get_linear_schedule_with_warmup of Hugging Face's transformers, but that no step is without a rate.
 */
export const linear = schedule({
  name: 'linear',
  title: 'Linear',
  help: 'the learning rate rises over the first steps, and falls evenly to nothing at the end',
  formula: 'lr · (t + 1) / w for t < w, then lr · (T − t) / (T − w)',
  when: 'transformers, whose first steps are unsteady at their full rate',
  source: 'Devlin, Chang, Lee, Toutanova, «BERT», NAACL 2019, appendix A.2',
  options: z.strictObject({
    warmup: z.number().int().min(0).max(10_000_000).optional().meta({
      title: 'Warm-up',
      description: 'steps in which the rate rises; a tenth of them where none is given',
      unit: 'steps',
    }),
  }),
  factor(at, steps, { warmup = 0 }) {
    return at < warmup ? (at + 1) / warmup : (steps - at) / Math.max(1, steps - warmup);
  },
  complete({ warmup }, { steps }) {
    if (warmup !== undefined && warmup > steps)
      throw new CotuneError(
        'bad-input',
        `The learning rate would rise over ${warmup} steps, and the run has ${steps}.`,
        'Give fewer steps of warm-up.',
      );
    return { warmup: warmup ?? Math.round(usualWarmup * steps) };
  },
});
