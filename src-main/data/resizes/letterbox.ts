import { z } from 'zod';
import type { Preprocessing } from '../../../src-shared/domain.ts';
import type { StoredImage } from '../image-cache.ts';
import type { Resize } from '../resize.ts';

/** The mean color that a network's input is measured from, as bytes: padding that becomes about zero. */
const meanColor = ({ mean }: Preprocessing): number[] => mean.map((value) => Math.round(255 * value));

/** The whole picture on a square of the mean color, proportions as they are. */
export const letterbox: Resize = {
  name: 'letterbox',
  title: 'Letterbox',
  help: 'pads every picture to a square with the mean color: all of it is seen, in shape and smaller',
  formula: 'padded to max(width, height) squared, then to size × size; training crops from the padded square',
  source: 'Redmon et al., «You Only Look Once», CVPR 2016, and its code: letterboxed input',
  when: 'long or tall pictures that are told apart by their whole; with training crops of a scale near 1',
  options: z.strictObject({}),
  excludes: { 'ten-crop': 'the whole picture is seen, so that there are no other crops of it.' },
  shape: padded,
  drawn: ({ width, height }) => [width, height],
  evaluated: (_, size) => [size, size],
  contract: ({ inputSize, ...preprocessing }) => ({
    words: `padded to a square with the mean color, resized to ${inputSize} px`,
    python: [
      'side = max(image.size)',
      `square = Image.new('RGB', (side, side), (${meanColor({ inputSize, ...preprocessing }).join(', ')}))`,
      'square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))',
      `image = square.resize((${inputSize}, ${inputSize}), Image.BICUBIC)`,
    ],
  }),
};

function padded(image: StoredImage, preprocessing: Preprocessing): StoredImage {
  const { width, height, originalWidth, originalHeight } = image;
  const side = Math.max(width, height);
  const data = Buffer.alloc(side * side * 3, Uint8Array.from(meanColor(preprocessing)));
  const [left, top] = [(side - width) >> 1, (side - height) >> 1];
  for (let y = 0; y < height; y++)
    data.set(image.data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * side + left) * 3);
  const original = Math.max(originalWidth, originalHeight);
  return { data, width: side, height: side, originalWidth: original, originalHeight: original };
}
