import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { sumOfSquares } from '../../engine/ops/sum-of-squares.ts';
import { term } from '../term.ts';

/**
 * Gradients of all trained parameters are scaled by min(1, c / ‖g‖), ‖g‖ the norm of all of them as one vector. Pascanu,
 * Mikolov, Bengio, «On the difficulty of training Recurrent Neural Networks», ICML 2013, algorithm 1; as in PyTorch's
 * clip_grad_norm_, penalties included and the decay of the optimizer not.
 */
export const gradientClipping = term({
  name: 'gradient-clipping',
  title: 'Gradient clipping',
  help: 'scales the gradient down where it is longer than a bound',
  formula: 'g · min(1, c / ‖g‖), ‖g‖ over all trained parameters',
  when: 'learning rates at which a run diverges, networks with attention; where no step is that long it changes nothing',
  source:
    'Pascanu, Mikolov, Bengio, «On the difficulty of training Recurrent Neural Networks», ICML 2013, algorithm 1; c as in most recipes for networks with attention',
  options: z.strictObject({
    norm: z
      .number()
      .gt(0)
      .max(1e6)
      .default(1)
      .meta({ title: 'Largest norm c', description: 'norm of the gradient from which it is scaled down' }),
  }),
  limit(gradients, { norm: bound }) {
    const squares = Object.values(gradients).map((gradient) => sumOfSquares(gradient));
    const norm = tf.sqrt(tf.addN(squares));
    // PyTorch's 1e-6: a gradient of zero stays zero.
    const factor = tf.minimum(1, tf.div(bound, tf.add(norm, 1e-6)));
    return Object.fromEntries(
      Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, factor)]),
    );
  },
});
