import { z } from 'zod';
import { augmentation } from '../augmentation.ts';
import { numberRange } from '../number-range.ts';
import { logUniformOf, normalOf } from '../random.ts';

/**
 * Random erasing: with probability p a rectangle of the normalized input becomes the mean color (zero) or noise. Its share of
 * the area is uniform in `area`, its aspect ratio log-uniform in `aspect`. Zhong et al., AAAI 2020, algorithm 1; drawn as
 * torchvision's RandomErasing draws it, after normalization as in its recipes.
 */
export const randomErasing = augmentation({
  name: 'random-erasing',
  title: 'Random erasing',
  help: 'hides a rectangle of some pictures',
  formula:
    'with probability p: x[rectangle] = 0 or N(0, 1), area share ~ U(area), aspect ratio log-uniform in aspect',
  source:
    'Zhong et al., «Random Erasing Data Augmentation», AAAI 2020; as torchvision’s RandomErasing; p 0.25 as MAE and DeiT (torchvision’s recipe: 0.1)',
  when: 'long trainings that overfit; not where small details decide',
  options: z.strictObject({
    probability: z
      .number()
      .min(0)
      .max(1)
      .default(0.25)
      .meta({ title: 'Erased share', description: 'probability that a picture loses a rectangle' }),
    area: numberRange(0, 1)
      .default([0.02, 0.33])
      .meta({ title: 'Erased area', description: 'smallest and largest share of the area' }),
    aspect: numberRange(0.1, 10)
      .default([0.3, 3.3])
      .meta({ title: 'Erased aspect', description: 'lowest and highest ratio of height to width' }),
    value: z
      .enum(['mean', 'noise'])
      .default('mean')
      .meta({ title: 'Erased by', description: 'what takes its place: the mean color, or noise' }),
  }),
  input(values, size, random, { probability, area, aspect, value }) {
    if (random() >= probability) return;
    for (let attempt = 0; attempt < 10; attempt++) {
      const erased = size * size * (area[0] + random() * (area[1] - area[0]));
      const ratio = logUniformOf(aspect, random);
      const height = Math.round(Math.sqrt(erased * ratio));
      const width = Math.round(Math.sqrt(erased / ratio));
      if (height >= size || width >= size) continue;
      const top = Math.floor(random() * (size - height + 1));
      const left = Math.floor(random() * (size - width + 1));
      for (let y = top; y < top + height; y++) {
        const from = (y * size + left) * 3;
        if (value === 'mean') values.fill(0, from, from + 3 * width);
        else for (let i = from; i < from + 3 * width; i++) values[i] = normalOf(random);
      }
      return;
    }
  },
});
