import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { term } from '../term.ts';

/**
 * Label smoothing: the target head learns (1 - ε) · label + ε / K over K classes. Szegedy et al., «Rethinking the Inception
 * Architecture», CVPR 2016, section 7; as in torch.nn.CrossEntropyLoss. The source term's labels stay as they are.
 */
export const labelSmoothing = term({
  name: 'label-smoothing',
  title: 'Label smoothing',
  help: 'takes a little probability from each label and spreads it evenly over all classes',
  formula: 'CE(H(F(x)), (1 − ε) y_t + ε / K)',
  when: 'noisy labels or overconfident predictions; calibration gets worse where few classes are left',
  source: 'Szegedy et al., «Rethinking the Inception Architecture for Computer Vision», CVPR 2016, section 7',
  options: z.strictObject({
    epsilon: z
      .number()
      .min(0)
      .lt(1)
      .default(0.1)
      .meta({ title: 'Smoothing ε', description: 'probability that is spread' }),
  }),
  soften: (labels, { epsilon }) => tf.add(tf.mul(labels, 1 - epsilon), epsilon / labels.shape[1]),
});
