import { z } from 'zod';
import { schedule } from '../schedule.ts';

/**
 * Linear warm-up over the first w steps, (t + 1) / w, then half a cosine from 1 to the floor f over the rest, of length T:
 * f + (1 - f) (1 + cos(π (t - w) / T)) / 2. Loshchilov and Hutter, «SGDR», ICLR 2017, equation 5.
 */
export const cosine = schedule({
  name: 'cosine',
  title: 'Cosine',
  help: 'the learning rate falls along half a cosine, after a linear warm-up where one is asked for',
  formula: 'lr · (f + (1 − f)(1 + cos(π (t − w) / (T − w))) / 2), after lr · (t + 1) / w for t < w',
  when: 'where the length is known and the step at which to decay is not',
  source:
    'Loshchilov and Hutter, «SGDR: Stochastic Gradient Descent with Warm Restarts», ICLR 2017, equation 5',
  options: z.strictObject({
    warmup: z
      .number()
      .int()
      .min(0)
      .max(10_000_000)
      .default(0)
      .meta({ title: 'Warm-up', description: 'steps of linear warm-up', unit: 'steps' }),
    floor: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .meta({ title: 'Floor', description: 'share of the learning rate that is left at the end' }),
  }),
  factor(at, steps, { warmup, floor }) {
    if (at < warmup) return (at + 1) / warmup;
    const rest = Math.max(1, steps - warmup);
    return floor + ((1 - floor) * (1 + Math.cos((Math.PI * Math.min(rest, at - warmup)) / rest))) / 2;
  },
});
