import type { Averaging } from './averaging.ts';

/** θ = 1/n Σ θ_i. Wortsman et al., «Model soups», ICML 2022, section 2. */
export const uniformSoup: Averaging = {
  name: 'uniform-soup',
  title: 'Uniform soup',
  help: 'takes the mean of all runs’ weights',
  source: 'Wortsman et al., «Model soups», ICML 2022, section 2',
  of: 'runs',
  tries: () => 0,
  shares: async (networks) => new Array<number>(networks).fill(1 / networks),
};
