import { CotuneError } from '../../../src-shared/errors.ts';
import type { Averaging } from './averaging.ts';

/**
 * Networks in order of their validation accuracy; each stays if the mean with it is more accurate on validation than the best so
 * far, strictly, as in the authors' code. Wortsman et al., «Model soups», ICML 2022, recipe 1.
 */
export const greedySoup: Averaging = {
  name: 'greedy-soup',
  title: 'Greedy soup',
  help: 'adds the runs’ weights to the mean one by one, best first, and keeps those that raise the validation accuracy',
  source: 'Wortsman et al., «Model soups», ICML 2022, recipe 1; strict as in its code',
  of: 'runs',
  tries: (networks) => 2 * networks - 1,
  async shares(networks, tryOut) {
    if (!tryOut)
      throw new CotuneError(
        'bad-input',
        'There are no validation samples to choose by.',
        'Take the uniform soup, which chooses nothing.',
      );
    const all = Array.from({ length: networks }, (_, i) => i);
    const meanOf = (kept: readonly number[]) => all.map((i) => (kept.includes(i) ? 1 / kept.length : 0));
    const singles: { network: number; accuracy: number }[] = [];
    for (const network of all)
      singles.push({ network, accuracy: (await tryOut(meanOf([network]), { networks: 1 })).accuracy });
    const [first, ...others] = singles.toSorted((a, b) => b.accuracy - a.accuracy);
    let kept = [first.network];
    let best = first.accuracy;
    for (const { network } of others) {
      const tried = [...kept, network];
      const { accuracy } = await tryOut(meanOf(tried), { networks: tried.length });
      if (accuracy > best) [kept, best] = [tried, accuracy];
    }
    return meanOf(kept);
  },
};
