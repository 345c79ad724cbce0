import { z } from 'zod';
import { normalOf, randomOf } from '../../data/random.ts';
import { term } from '../term.ts';
import { untrainedWeights } from '../untrained-weights.ts';

/**
 * Training from random weights, drawn from the run's seed: what the pre-trained ones are worth is the difference. He, Zhang,
 * Ren, Sun, «Delving Deep into Rectifiers», ICCV 2015, equation 14.
 */
export const scratch = term({
  name: 'scratch',
  title: 'From scratch',
  help: 'begins with random weights in place of the pre-trained ones',
  formula: 'CE(H(F(x)), y_t), w⁰ ~ N(0, 2 / fan-out)',
  when: 'to measure what pre-training is worth; it needs far more images and steps than the rest',
  source:
    'He, Zhang, Ren, Sun, «Delving Deep into Rectifiers», ICCV 2015, equation 14; as torchvision initializes its networks',
  options: z.strictObject({}),
  takesAway: ['pretrained-weights'],
  begins: 'seed',
  prepare: async ({ network, seed }) => ({
    network: untrainedWeights(network.backbone.tensors, (tensor) => {
      const random = randomOf(seed, `untrained ${tensor}`);
      return () => normalOf(random);
    }),
  }),
});
