import { z } from 'zod';
import { numberRange } from '../number-range.ts';
import { logUniformOf } from '../random.ts';
import { trainingCrop } from '../training-crop.ts';

/**
 * A random training crop: its share of the picture's area uniform in `scale`, its aspect ratio log-uniform in `ratio`, resized
 * to the input, mirrored with probability `flip` (Szegedy et al., «Going Deeper with Convolutions», CVPR 2015; drawn as
 * torchvision's RandomResizedCrop draws it). Its default there is a scale of 0.08 to 1, the authors' library has 0.2 to 1.
 */
export const randomCrop = trainingCrop({
  name: 'random-crop',
  title: 'Random crop',
  help: 'a part of the picture of random size, place and proportions, often mirrored',
  formula:
    'area share ~ U(scale), aspect ratio log-uniform in ratio, at a uniform place; mirrored with probability flip',
  source:
    'Szegedy et al., «Going Deeper with Convolutions», CVPR 2015; as torchvision’s RandomResizedCrop and RandomHorizontalFlip; scale as in the authors’ library',
  when: 'always; smaller scales for long trainings, larger ones where the whole decides; no flips where left and right mean something',
  options: z.strictObject({
    scale: numberRange(0.01, 1).default([0.2, 1]).meta({
      title: 'Scale',
      description: 'smallest and largest share of the picture’s area, above 0 and up to 1',
    }),
    ratio: numberRange(0.1, 10)
      .default([3 / 4, 4 / 3])
      .meta({ title: 'Ratio', description: 'narrowest and widest aspect ratio, width by height' }),
    flip: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .meta({ title: 'Flip', description: 'probability that a crop is mirrored; 0 for none' }),
  }),
  draw(width, height, random, { scale, ratio, flip }) {
    const mirrored = random() < flip;
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = width * height * (scale[0] + random() * (scale[1] - scale[0]));
      const aspect = logUniformOf(ratio, random);
      const w = Math.round(Math.sqrt(area * aspect));
      const h = Math.round(Math.sqrt(area / aspect));
      if (w < 1 || h < 1 || w > width || h > height) continue;
      const x = Math.floor(random() * (width - w + 1));
      const y = Math.floor(random() * (height - h + 1));
      return { x, y, width: w, height: h, mirrored };
    }
    // Too narrow a picture for such ratios: its middle, with the nearest ratio.
    const w = Math.min(width, Math.max(1, Math.round(height * ratio[1])));
    const h = Math.min(height, Math.max(1, Math.round(width / ratio[0])));
    return {
      x: Math.floor((width - w) / 2),
      y: Math.floor((height - h) / 2),
      width: w,
      height: h,
      mirrored,
    };
  },
});
