/** Changes of tone and sharpness of RGB bytes, in place, as Pillow's ImageOps and ImageEnhance have them. */
import type { RgbImage } from '../image.ts';
import { blended } from './color.ts';

/** Keeps the highest `bits` of each value. */
export function posterize({ data }: RgbImage, bits: number): void {
  const mask = (0xff << (8 - bits)) & 0xff;
  for (let i = 0; i < data.length; i++) data[i] &= mask;
}

/** Inverts values from `threshold` on. */
export function solarize({ data }: RgbImage, threshold: number): void {
  for (let i = 0; i < data.length; i++) if (data[i] >= threshold) data[i] = 255 - data[i];
}

/** How often each value occurs in a channel. */
function histogram(data: Uint8Array, channel: number): Uint32Array {
  const counts = new Uint32Array(256);
  for (let i = channel; i < data.length; i += 3) counts[data[i]]++;
  return counts;
}

/** Replaces the values of every channel by a table made of its histogram; null leaves the channel as it is. */
function remap({ data }: RgbImage, tableOf: (counts: Uint32Array) => Uint8Array | null): void {
  for (let channel = 0; channel < 3; channel++) {
    const table = tableOf(histogram(data, channel));
    if (table) for (let i = channel; i < data.length; i += 3) data[i] = table[data[i]];
  }
}

/** Stretches each channel to 0 … 255. */
export function autoContrast(picture: RgbImage): void {
  remap(picture, (counts) => {
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    if (high <= low) return null;
    const scale = 255 / (high - low);
    const offset = -low * scale;
    return Uint8Array.from({ length: 256 }, (_, value) =>
      Math.min(255, Math.max(0, Math.trunc(value * scale + offset))),
    );
  });
}

/** Makes the values of each channel about equally frequent. */
export function equalize(picture: RgbImage): void {
  remap(picture, (counts) => {
    const used = counts.filter((count) => count > 0);
    if (used.length <= 1) return null;
    const pixels = used.reduce((sum, count) => sum + count, 0);
    const step = Math.floor((pixels - used[used.length - 1]) / 255);
    if (step === 0) return null;
    let sum = Math.floor(step / 2);
    return Uint8Array.from({ length: 256 }, (_, value) => {
      const place = Math.floor(sum / step);
      sum += counts[value];
      return Math.min(255, place);
    });
  });
}

/** Factor 0 gives the smoothed picture (3 × 3, the middle counting 5 of 13), 1 the picture, 2 a sharpened one. */
export function adjustSharpness({ data, width, height }: RgbImage, factor: number): void {
  const before = data.slice();
  const stride = width * 3;
  for (let y = 1; y < height - 1; y++)
    for (let i = y * stride + 3; i < (y + 1) * stride - 3; i++) {
      let sum = 4 * before[i];
      for (let row = i - stride; row <= i + stride; row += stride)
        sum += before[row - 3] + before[row] + before[row + 3];
      data[i] = blended(Math.floor(sum / 13 + 0.5), before[i], factor);
    }
}
