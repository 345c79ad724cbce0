import { z } from 'zod';
import { augmentation } from '../augmentation.ts';
import type { RgbImage } from '../image.ts';
import { rotate, shearX, shearY, translate } from '../pixels/affine.ts';
import { adjustBrightness, adjustContrast, adjustSaturation } from '../pixels/color.ts';
import { adjustSharpness, autoContrast, equalize, posterize, solarize } from '../pixels/tone.ts';

interface Operation {
  name: string;
  /** The magnitude at a share 0 … 1 of the range; without it there is none. */
  magnitude?(share: number): number;
  /** Whether the magnitude is negated half of the time. */
  isSigned?: boolean;
  apply(picture: RgbImage, magnitude: number): void;
}

const upTo = (largest: number) => (share: number) => share * largest;

/** The operations and ranges of torchvision's TrivialAugmentWide. */
export const operations: readonly Operation[] = [
  { name: 'Identity', apply: () => {} },
  { name: 'ShearX', magnitude: upTo(0.99), isSigned: true, apply: shearX },
  { name: 'ShearY', magnitude: upTo(0.99), isSigned: true, apply: shearY },
  {
    name: 'TranslateX',
    magnitude: upTo(32),
    isSigned: true,
    apply: (picture, pixels) => translate(picture, Math.trunc(pixels), 0),
  },
  {
    name: 'TranslateY',
    magnitude: upTo(32),
    isSigned: true,
    apply: (picture, pixels) => translate(picture, 0, Math.trunc(pixels)),
  },
  { name: 'Rotate', magnitude: upTo(135), isSigned: true, apply: rotate },
  {
    name: 'Brightness',
    magnitude: upTo(0.99),
    isSigned: true,
    apply: (picture, change) => adjustBrightness(picture, 1 + change),
  },
  {
    name: 'Color',
    magnitude: upTo(0.99),
    isSigned: true,
    apply: (picture, change) => adjustSaturation(picture, 1 + change),
  },
  {
    name: 'Contrast',
    magnitude: upTo(0.99),
    isSigned: true,
    apply: (picture, change) => adjustContrast(picture, 1 + change),
  },
  {
    name: 'Sharpness',
    magnitude: upTo(0.99),
    isSigned: true,
    apply: (picture, change) => adjustSharpness(picture, 1 + change),
  },
  { name: 'Posterize', magnitude: (share) => 8 - Math.round(share * 6), apply: posterize },
  { name: 'Solarize', magnitude: (share) => 255 - share * 255, apply: solarize },
  { name: 'AutoContrast', apply: autoContrast },
  { name: 'Equalize', apply: equalize },
];

/**
 * One operation, drawn evenly, at a magnitude drawn evenly from so many bins: TrivialAugment (Wide). Müller and Hutter,
 * «TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation», ICCV 2021. What is moved in from outside is black.
 */
export const trivialAugment = augmentation({
  name: 'trivial-augment',
  title: 'TrivialAugment',
  help: 'one of fourteen changes of color or shape for each picture, at random strength',
  formula: 'x ← op_m(x), op ~ U(14 operations), m ~ U(bins)',
  source:
    'Müller and Hutter, «TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation», ICCV 2021; as torchvision’s TrivialAugmentWide',
  when: 'long trainings that overfit, without a search for settings; short ones learn less, and small inputs are moved far (32 px)',
  options: z.strictObject({
    bins: z
      .number()
      .int()
      .min(2)
      .max(1000)
      .default(31)
      .meta({ title: 'Magnitude bins', description: 'number of magnitudes to draw from' }),
  }),
  pixels(picture, random, { bins }) {
    const { magnitude, isSigned, apply } = operations[Math.floor(random() * operations.length)];
    const size = magnitude?.(Math.floor(random() * bins) / (bins - 1)) ?? 0;
    apply(picture, isSigned && random() < 0.5 ? -size : size);
  },
});
