import { z } from 'zod';
import { term } from '../term.ts';

/**
 * Early stopping: training ends once so many validation passes in a row have not found a higher accuracy than the best before
 * them. Prechelt, «Early Stopping — But When?», 1998, criterion UP with accuracy for error. The schedule of the learning rate stays
 * that of the whole length: a run that stops before the rate has decayed has not had what the decay brings.
 */
export const earlyStopping = term({
  name: 'early-stopping',
  title: 'Early stopping',
  help: 'ends training once validation passes in a row find nothing better',
  formula: 'stop at validation v where max_{i > v − n} accuracy_i ≤ max_{i ≤ v − n} accuracy_i',
  when: 'trainings whose right length is not known, with a constant or cosine learning rate and best weights selected',
  source: 'Prechelt, «Early Stopping — But When?», in Neural Networks: Tricks of the Trade, 1998',
  options: z.strictObject({
    patience: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(3)
      .meta({ title: 'Patience n', description: 'validation passes in a row without anything better' }),
  }),
  needs: ['validation'],
  stops(validations, { patience }) {
    const accuracies = validations.map(({ accuracy }) => accuracy);
    const since = accuracies.length - patience;
    const before = Math.max(...accuracies.slice(0, since));
    if (since < 1 || Math.max(...accuracies.slice(since)) > before) return null;
    const best = validations.find(({ accuracy }) => accuracy === before)!;
    const passes = patience === 1 ? 'the pass' : `the ${patience} passes`;
    return `Validation found ${(100 * before).toFixed(1)} % at step ${best.step} and nothing better in ${passes} since.`;
  },
});
