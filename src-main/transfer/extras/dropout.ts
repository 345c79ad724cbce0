import { z } from 'zod';
import { type Dropping, drawnMasks, maskSpecs } from '../dropping.ts';
import type { Network } from '../network.ts';
import { term } from '../term.ts';

/**
 * Dropout where the network's description has it, before the last layers of its head, in a BERT everywhere: features are zero with probability p,
 * the others grown by 1 / (1 − p), while training only. Srivastava et al., «Dropout», JMLR 2014. Fine-tuning goes without unless
 * asked: a new head on few images first has to learn at all, and runs without are what methods are compared by.
 */
export const dropout = term({
  name: 'dropout',
  title: 'Dropout',
  help: 'leaves features out at random where the network was trained so: before the last layers, of texts in all layers and in attention',
  formula:
    'x · m / (1 − p), m ~ Bernoulli(1 − p) for every feature of every image, or of every piece of a text',
  when: 'networks with hidden layers in their head (VGG, AlexNet, MobileNetV3), and long trainings that overfit; BERT, at a step that is slower',
  source:
    'Srivastava et al., «Dropout: A Simple Way to Prevent Neural Networks from Overfitting», JMLR 2014; p as in torchvision’s networks and in BERT’s configuration',
  options: z.strictObject({
    probability: z.number().gt(0).lt(1).optional().meta({
      title: 'Probability p',
      description: 'share of features that is left out; as the network was trained where none is given',
    }),
  }),
  needs: ['dropout'],
  feeds: {
    specs: (shape, network, { probability }) => maskSpecs(sitesOf(network, probability), shape),
    values: (shape, network, { probability }, random) =>
      drawnMasks(sitesOf(network, probability), shape, random),
  },
  mask: ({ name }, { fed }) => fed[name] ?? null,
});

const sitesOf = ({ backbone }: Network, rate: number | undefined): Dropping[] =>
  backbone.masks.filter(({ of }) => of !== 'image').map((site) => ({ ...site, rate: rate ?? site.rate }));
