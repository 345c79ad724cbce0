import { decodeTo, type OpenedImage } from './decode.ts';
import { type Look, lookHeight, lookWidth } from './perceptual-hash.ts';

/**
 * Shrinks an image to its look. Reads every pixel, so that damage anywhere is found: throws as `decodeTo` does.
 */
export async function lookOf(image: OpenedImage): Promise<Look> {
  const { data } = await decodeTo(image, lookWidth, lookHeight, 'whole');
  const look = new Uint8Array(lookWidth * lookHeight);
  for (let pixel = 0; pixel < look.length; pixel++) {
    look[pixel] = 0.299 * data[3 * pixel] + 0.587 * data[3 * pixel + 1] + 0.114 * data[3 * pixel + 2] + 0.5;
  }
  return look;
}
