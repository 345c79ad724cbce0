import { z } from 'zod';
import { trainingCrop } from '../training-crop.ts';

/** Training pictures as evaluation sees them. */
export const fixedCrop = trainingCrop({
  name: 'fixed-crop',
  title: 'Fixed crop',
  help: 'training pictures as evaluation sees them, every time the same',
  formula: 'the evaluation’s center crop',
  source:
    'Kornblith, Shlens, Le, «Do Better ImageNet Models Transfer Better?», CVPR 2019, without augmentation',
  when: 'pictures in which place and size decide; to see what random crops do',
  options: z.strictObject({}),
});
