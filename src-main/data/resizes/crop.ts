import { z } from 'zod';
import { evaluationShorter, resizedExtents } from '../crops.ts';
import type { Resize } from '../resize.ts';

/** The shorter side is resized and the middle is taken, proportions as they are: what most networks were pre-trained with. */
export const crop: Resize = {
  name: 'crop',
  title: 'Crop',
  help: 'keeps proportions; what lies beyond the middle square is not seen in evaluation',
  formula: 'shorter side to resize_shorter, middle size × size; training crops from the whole picture',
  source: 'torchvision’s Resize and CenterCrop; He et al., «Deep Residual Learning», CVPR 2016, section 3.4',
  when: 'as the network was pre-trained; always, unless what matters lies at the edges',
  options: z.strictObject({}),
  drawn: ({ width, height }) => [width, height],
  evaluated: ({ originalWidth, originalHeight }, size, preprocessing) =>
    resizedExtents(originalWidth, originalHeight, evaluationShorter(size, preprocessing)),
  contract: ({ resizeShorter }) => ({
    words: `shorter side resized to ${resizeShorter} px`,
    python: [
      `scale = ${resizeShorter} / min(image.size)`,
      'image = image.resize([round(side * scale) for side in image.size], Image.BICUBIC)',
    ],
  }),
};
