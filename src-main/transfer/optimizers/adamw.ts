import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { optimizer } from '../optimizer.ts';

/**
 * AdamW: m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; p ← p - lr w p - lr · m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ) and
 * v̂ = v / (1 - β₂ᵗ). Loshchilov and Hutter, «Decoupled Weight Decay Regularization», ICLR 2019, algorithm 2; as torch.optim.AdamW.
 */
export const adamw = optimizer({
  name: 'adamw',
  title: 'AdamW',
  help: 'Adam with decoupled weight decay; its learning rate is usually ten to a hundred times smaller than SGD’s',
  formula: 'm ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; p ← p − lr w p − lr m̂ / (√v̂ + ε)',
  when: 'for transformers, and networks that were pre-trained with it',
  source: 'Loshchilov and Hutter, «Decoupled Weight Decay Regularization», ICLR 2019, algorithm 2',
  options: z.strictObject({
    beta1: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .meta({ title: 'β₁', description: 'decay of the gradient’s mean' }),
    beta2: z
      .number()
      .min(0)
      .lt(1)
      .default(0.999)
      .meta({ title: 'β₂', description: 'decay of its mean square' }),
    epsilon: z
      .number()
      .gt(0)
      .max(1)
      .default(1e-8)
      .meta({ title: 'ε', description: 'keeps the division from zero' }),
    weightDecay: z.number().min(0).max(10).default(0.01).meta({
      title: 'Weight decay',
      description: 'share of the parameter, times the learning rate, that a step takes away',
    }),
  }),
  slots: ['mean', 'square'],
  countsSteps: true,
  step({ parameter, gradient, slots, rate, step, decays }, { beta1, beta2, epsilon, weightDecay }) {
    const mean = tf.add(tf.mul(slots.mean, beta1), tf.mul(gradient, 1 - beta1));
    const square = tf.add(tf.mul(slots.square, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const correction = (beta: number) => tf.sub(1, tf.exp(tf.mul(step!, Math.log(beta))));
    const size = tf.add(tf.sqrt(tf.div(square, correction(beta2))), epsilon);
    const change = tf.mul(tf.div(mean, size), tf.div(rate(), correction(beta1)));
    // The parameter less everything that it loses: what is last made of it alone can be written over it.
    const lost =
      decays && weightDecay > 0 ? tf.add(change, tf.mul(parameter, tf.mul(rate(), weightDecay))) : change;
    return { parameter: tf.sub(parameter, lost), slots: { mean, square } };
  },
});
