import { z } from 'zod';
import type { Evaluation, View } from '../evaluation.ts';

const places = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
  [0.5, 0.5],
] as const;

const viewsOf = (mirrored: boolean): View[] => places.map(([across, down]) => ({ across, down, mirrored }));

/**
 * Four corners and the middle, each as it is and mirrored: Krizhevsky, Sutskever, Hinton, NeurIPS 2012, section 4.1, which
 * averages probabilities. Here logits are averaged, as the paper's repository sums them (`utils/tools.py`, TenCropsTest).
 */
export const tenCrop: Evaluation = {
  name: 'ten-crop',
  title: 'Ten crops',
  help: 'four corners and the middle of each picture, mirrored too: the mean of their logits, at ten times the cost',
  formula: '1/10 Σ_k H(F(crop_k))',
  source:
    'Krizhevsky, Sutskever, Hinton, «ImageNet Classification with Deep Convolutional Neural Networks», NeurIPS 2012, section 4.1; logits averaged as in the paper’s repository',
  when: 'to repeat the paper; figures are higher than those of one crop and not to be compared with them; validation on the way sees the center crop',
  options: z.strictObject({}),
  views: [...viewsOf(false), ...viewsOf(true)],
};
