import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { optimizer } from '../optimizer.ts';

/**
 * SGD with Nesterov momentum μ and weight decay w, as PyTorch's torch.optim.SGD does it (the first velocity being the
 * first gradient, which starting from zero gives): g ← g + w p; v ← μ v + g; p ← p - lr (g + μ v).
 */
export const sgd = optimizer({
  name: 'sgd',
  title: 'SGD',
  help: 'stochastic gradient descent with Nesterov momentum',
  formula: 'g ← g + w p; v ← μ v + g; p ← p − lr (g + μ v)',
  when: 'for convolutional networks',
  source:
    'Sutskever et al., «On the importance of initialization and momentum in deep learning», ICML 2013; as torch.optim.SGD',
  options: z.strictObject({
    momentum: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .meta({ title: 'Momentum', description: 'Nesterov momentum μ' }),
    weightDecay: z
      .number()
      .min(0)
      .max(10)
      .default(5e-4)
      .meta({ title: 'Weight decay', description: 'added to the gradient as so many times the parameter' }),
  }),
  slots: ['momentum'],
  step({ parameter, gradient, slots, rate, decays }, { momentum, weightDecay }) {
    // Before the gradient is used: the runtime makes first what comes last, and large parameters' products take turns in memory.
    const carried = tf.mul(slots.momentum, momentum);
    const decayed = decays && weightDecay > 0 ? tf.add(gradient, tf.mul(parameter, weightDecay)) : gradient;
    const velocity = tf.add(carried, decayed);
    const change = tf.mul(tf.add(decayed, tf.mul(velocity, momentum)), rate());
    return { parameter: tf.sub(parameter, change), slots: { momentum: velocity } };
  },
});
