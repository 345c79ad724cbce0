import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { softenedDivergence } from '../distillation.ts';
import { term } from '../term.ts';

/**
 * Knowledge distillation: the target head learns the softened scores that a trained network of the same target classes, of any
 * architecture, gives for the very crop that is trained on. Hinton, Vinyals, Dean, «Distilling the Knowledge in a Neural Network», 2015,
 * section 2; the same view for both as in Beyer et al., «Knowledge distillation: A good teacher is patient and consistent», CVPR 2022.
 */
export const kd = term({
  name: 'kd',
  title: 'Knowledge distillation',
  help: 'learns from another run’s trained network besides the labels: a small network from a large one',
  formula: '(1 − α) · CE(H(F(x)), y_t) + α T² · KL(softmax(t(x) / T) ‖ softmax(H(F(x)) / T))',
  when: 'a better or larger network has been trained on the same classes; each step costs its forward pass besides',
  source:
    'Hinton, Vinyals, Dean, «Distilling the Knowledge in a Neural Network», 2015, section 2, which gives the labels the smaller part; T as in timm',
  options: z.strictObject({
    teacher: z.number().int().min(1).meta({
      title: 'Teacher',
      description: 'number of the finished run whose network teaches; its target classes have to be the same',
      of: 'run',
    }),
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(0.9)
      .meta({ title: 'Teacher’s part α', description: 'what the teacher counts; the labels count the rest' }),
    temperature: z
      .number()
      .gt(0)
      .max(100)
      .default(4)
      .meta({ title: 'Temperature T', description: 'how much scores are evened out' }),
  }),
  teacher: ({ teacher }) => teacher,
  weigh: (labels, _, { alpha }) => tf.fill([labels.shape[0], 1], 1 - alpha) as tf.Tensor2D,
  loss: ({ targetLogits, beside, counts }, _, { alpha, temperature }) => ({
    curve: 'teacher_loss',
    value: tf.mul(
      softenedDivergence(targetLogits, beside.teacherLogits!, temperature, counts),
      temperature ** 2,
    ),
    weight: alpha,
  }),
});
