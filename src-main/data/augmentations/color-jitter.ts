import { z } from 'zod';
import { augmentation } from '../augmentation.ts';
import type { RgbImage } from '../image.ts';
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from '../pixels/color.ts';
import { permutation, type Random } from '../random.ts';

const strength = (title: string, description: string, limit: number, usual: number) =>
  z.number().min(0).max(limit).default(usual).meta({ title, description });

const around = (random: Random, amount: number): number =>
  Math.max(0, 1 - amount) + random() * (1 + amount - Math.max(0, 1 - amount));

/**
 * Brightness, contrast and saturation by factors uniform in 1 ± their strength (not below 0), hue by a share of the circle uniform
 * in ± its strength, in an order drawn for each picture: torchvision's ColorJitter. Howard, «Some Improvements on Deep
 * Convolutional Neural Network Based Image Classification», 2013, section 2.2.
 */
export const colorJitter = augmentation({
  name: 'color-jitter',
  title: 'Color jitter',
  help: 'changes brightness, contrast, saturation and hue at random, in random order',
  formula: 'factors ~ U(1 − s, 1 + s), hue shift ~ U(−h, h), in random order',
  source:
    'Howard, «Some Improvements on Deep Convolutional Neural Network Based Image Classification», 2013, section 2.2; as torchvision’s ColorJitter',
  when: 'pictures taken in unequal light; not where color tells classes apart',
  options: z.strictObject({
    brightness: strength('Brightness', 'largest change of brightness: factors of 1 ± it', 10, 0.4),
    contrast: strength('Contrast', 'largest change of contrast: factors of 1 ± it', 10, 0.4),
    saturation: strength('Saturation', 'largest change of saturation: factors of 1 ± it', 10, 0.4),
    hue: strength('Hue', 'largest turn of hues, as a share of the circle', 0.5, 0.1),
  }),
  pixels(picture, random, { brightness, contrast, saturation, hue }) {
    const changes: ((picture: RgbImage) => void)[] = [
      (changed) => adjustBrightness(changed, around(random, brightness)),
      (changed) => adjustContrast(changed, around(random, contrast)),
      (changed) => adjustSaturation(changed, around(random, saturation)),
      (changed) => adjustHue(changed, (2 * random() - 1) * hue),
    ];
    const strengths = [brightness, contrast, saturation, hue];
    for (const index of permutation(4, random)) if (strengths[index] > 0) changes[index](picture);
  },
});
