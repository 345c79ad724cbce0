import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { fisherInformation, fisherSpecs } from '../fisher.ts';
import { term } from '../term.ts';

/**
 * Elastic weight consolidation: λ/2 Σ F (w − w⁰)² over the backbone, F the diagonal Fisher information of the pre-trained network.
 * Kirkpatrick et al., «Overcoming catastrophic forgetting in neural networks», PNAS 2017, equation 3. F is that of the source
 * head's own predictions of the target's training images, since the source's are not here. Its gradient λ F (w − w⁰) joins the loss's.
 */
export const ewc = term({
  name: 'ewc',
  title: 'EWC',
  help: 'draws back those pre-trained weights most that the source head’s predictions depend on most',
  formula: 'CE(H(F(x)), y_t) + λ/2 Σ F (w − w⁰)², F = E_x E_{y ~ G⁰_s(F⁰(x))} (∂ log p(y | x) / ∂w)²',
  when: 'to compare with L2-SP, which draws all weights back alike; it costs a pass over some images, and two copies of the weights',
  source:
    'Kirkpatrick et al., «Overcoming catastrophic forgetting in neural networks», PNAS 2017, equation 3; there is no standard λ (10 to 10,000 are tried)',
  options: z.strictObject({
    lambda: z
      .number()
      .min(0)
      .max(1e8)
      .default(100)
      .meta({
        title: 'Strength λ',
        description: 'weight of the distance to the pre-trained weights',
        strength: [1, 0.1, 10, 100],
      }),
    images: z.number().int().min(1).max(100_000).default(200).meta({
      title: 'Samples for the Fisher information',
      description:
        'training images, texts, or words of tagged texts, evenly over the classes, by which it is estimated',
    }),
  }),
  needs: ['pretrained-weights', 'source-predictions'],
  prepares: 'estimating the Fisher information',
  anchored: true,
  state: fisherSpecs,
  prepare: async (preparation, { images }) => ({
    state: await preparation.kept({ version: 1, images }, () => fisherInformation(preparation, images)),
  }),
  penalty({ name, value, anchor }, { state }, { lambda }) {
    const fisher = state[name];
    return fisher && anchor ? tf.mul(tf.mul(fisher, tf.sub(value, anchor)), lambda) : null;
  },
});
