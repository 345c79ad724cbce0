import { z } from 'zod';
import { evaluationShorter, type Size } from '../crops.ts';
import type { Resize } from '../resize.ts';

const square = (side: number): Size => [side, side];

/**
 * The whole picture is squashed to a square, proportions given up, as the paper's repository does it (`utils/transforms.py`:
 * 256 × 256 for crops of 224). Training crops are drawn on the square and cut from the stored picture in proportion, so that it is
 * resampled once.
 */
export const squash: Resize = {
  name: 'squash',
  title: 'Squash',
  help: 'makes every picture a square, whatever its proportions: more of it is seen, out of shape',
  formula: 'both sides to resize_shorter, middle size × size; training crops from the square',
  source: 'You et al., NeurIPS 2020: its repository squashes to 256 × 256',
  when: 'to repeat the paper; pictures of one shape whose edges matter',
  options: z.strictObject({}),
  drawn: (_, size, preprocessing) => square(evaluationShorter(size, preprocessing)),
  evaluated: (_, size, preprocessing) => square(evaluationShorter(size, preprocessing)),
  contract: ({ resizeShorter }) => ({
    words: `both sides resized to ${resizeShorter} px, proportions given up`,
    python: [`image = image.resize((${resizeShorter}, ${resizeShorter}), Image.BICUBIC)`],
  }),
};
