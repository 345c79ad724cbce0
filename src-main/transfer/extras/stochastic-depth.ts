import { z } from 'zod';
import { type Dropping, drawnMasks, maskSpecs } from '../dropping.ts';
import type { Network } from '../network.ts';
import { term } from '../term.ts';

/**
 * Stochastic depth: a residual branch is left out of an image's pass with a probability that grows evenly from the first block
 * to p at the last, and grown by 1 / (1 − its probability) where it stays, while training only. Huang et al., «Deep Networks with
 * Stochastic Depth», ECCV 2016, equation 4, with the scaling at training instead of at evaluation.
 */
export const stochasticDepth = term({
  name: 'stochastic-depth',
  title: 'Stochastic depth',
  help: 'leaves residual branches out at random, later ones more often',
  formula: 'x + F_l(x) · m / (1 − p_l), m ~ Bernoulli(1 − p_l) for every image, p_l growing evenly to p',
  when: 'long trainings of deep networks that were trained so (EfficientNet, ConvNeXt, DeiT); short ones learn less',
  source:
    'Huang et al., «Deep Networks with Stochastic Depth», ECCV 2016, equation 4; p as in the networks’ own training (torchvision; for transformers Touvron et al., ICML 2021, table 9)',
  options: z.strictObject({
    probability: z.number().gt(0).lt(1).optional().meta({
      title: 'Probability p',
      description: 'how often the last branch is left out; as the network was trained where none is given',
    }),
  }),
  needs: ['stochastic-depth'],
  feeds: {
    specs: (shape, network, { probability }) => maskSpecs(sitesOf(network, probability), shape),
    values: (shape, network, { probability }, random) =>
      drawnMasks(sitesOf(network, probability), shape, random),
  },
  mask: ({ name }, { fed }) => fed[name] ?? null,
});

/** Branches that can be left out, the network's own probabilities scaled to `last` for the last. */
function sitesOf({ backbone }: Network, last: number | undefined): Dropping[] {
  const sites = backbone.masks.filter(({ of, rate }) => of === 'image' && rate > 0);
  const most = Math.max(...sites.map(({ rate }) => rate));
  return sites.map((site) => ({ ...site, rate: last === undefined ? site.rate : (site.rate * last) / most }));
}
