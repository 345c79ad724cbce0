import { z } from 'zod';
import type { Evaluation } from '../evaluation.ts';

export const centerCrop: Evaluation = {
  name: 'center-crop',
  title: 'Center crop',
  help: 'the middle of each picture, once',
  formula: 'H(F(middle size × size of the resized picture))',
  source: 'torchvision’s CenterCrop',
  when: 'always; it is what a prediction elsewhere will see',
  options: z.strictObject({}),
  views: [{ across: 0.5, down: 0.5, mirrored: false }],
};
