import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { term } from '../term.ts';

/**
 * L2-SP: α/2 ‖w - w⁰‖² over the pre-trained parameters, β/2 ‖w‖² over the new head, in place of weight decay. Li, Grandvalet,
 * Davoine, «Explicit Inductive Bias for Transfer Learning with Convolutional Networks», ICML 2018, equation 4. Its gradient
 * α (w - w⁰) joins the loss's.
 */
export const l2sp = term({
  name: 'l2-sp',
  title: 'L2-SP',
  help: 'draws the pre-trained weights to where they began instead of to zero',
  formula: 'CE(H(F(x)), y_t) + α/2 ‖w − w⁰‖² + β/2 ‖w_head‖²',
  when: 'few labels, and a network that was pre-trained on something close; it costs a copy of the weights',
  source:
    'Li, Grandvalet, Davoine, «Explicit Inductive Bias for Transfer Learning with Convolutional Networks», ICML 2018, equation 4; α and β as in its code',
  options: z.strictObject({
    alpha: z
      .number()
      .min(0)
      .max(1000)
      .default(0.1)
      .meta({
        title: 'Starting point α',
        description: 'weight of the distance to the pre-trained weights',
        strength: [1, 0.1, 0.3, 3],
      }),
    beta: z
      .number()
      .min(0)
      .max(1000)
      .default(0.01)
      .meta({ title: 'New head β', description: 'weight of the new head’s own size' }),
  }),
  needs: ['pretrained-weights'],
  anchored: true,
  penalty: ({ value, anchor }, _, { alpha, beta }) =>
    anchor ? tf.mul(tf.sub(value, anchor), alpha) : tf.mul(value, beta),
});
