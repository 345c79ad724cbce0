/**
 * Changes of color of RGB bytes, in place, with Pillow's arithmetic (ImageEnhance, Image.blend, Convert.c), which torchvision's
 * transforms use on pictures.
 */
import type { RgbImage } from '../image.ts';

/** Pillow's gray of a pixel: ITU-R 601-2 in 16 bits. */
const grayOf = (red: number, green: number, blue: number): number =>
  (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

/** `from` + factor · (`to` − `from`), cut to whole numbers and to 0 … 255. */
export function blended(from: number, to: number, factor: number): number {
  const value = from + factor * (to - from);
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/** Factor 0 gives black, 1 the picture. */
export function adjustBrightness({ data }: RgbImage, factor: number): void {
  const table = Uint8Array.from({ length: 256 }, (_, value) => blended(0, value, factor));
  for (let i = 0; i < data.length; i++) data[i] = table[data[i]];
}

/** Factor 0 gives the picture's mean gray, 1 the picture. */
export function adjustContrast({ data }: RgbImage, factor: number): void {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += grayOf(data[i], data[i + 1], data[i + 2]);
  const mean = Math.floor(sum / (data.length / 3) + 0.5);
  const table = Uint8Array.from({ length: 256 }, (_, value) => blended(mean, value, factor));
  for (let i = 0; i < data.length; i++) data[i] = table[data[i]];
}

/** Factor 0 gives gray, 1 the picture. */
export function adjustSaturation({ data }: RgbImage, factor: number): void {
  for (let i = 0; i < data.length; i += 3) {
    const gray = grayOf(data[i], data[i + 1], data[i + 2]);
    data[i] = blended(gray, data[i], factor);
    data[i + 1] = blended(gray, data[i + 1], factor);
    data[i + 2] = blended(gray, data[i + 2], factor);
  }
}

/** Turns hues by a share of the whole circle, −0.5 … 0.5, in Pillow's HSV of bytes. */
export function adjustHue({ data }: RgbImage, share: number): void {
  const turn = Math.trunc(share * 255) & 255;
  for (let i = 0; i < data.length; i += 3) {
    const [red, green, blue] = [data[i], data[i + 1], data[i + 2]];
    const value = Math.max(red, green, blue);
    const least = Math.min(red, green, blue);
    // Gray has no hue.
    if (value === least) continue;
    const range = value - least;
    const sixths =
      red === value
        ? (value - blue) / range - (value - green) / range
        : green === value
          ? 2 + (value - red) / range - (value - blue) / range
          : 4 + (value - green) / range - (value - red) / range;
    const circle = sixths / 6 + 1;
    const hue = (Math.trunc((circle - Math.floor(circle)) * 255) + turn) & 255;
    const saturation = Math.trunc((range / value) * 255) / 255;
    const place = (hue * 6) / 255;
    const sector = Math.floor(place);
    const part = place - sector;
    const low = Math.round(value * (1 - saturation));
    // Between the lowest and the highest: falling in sectors that end at the lowest, rising in the others.
    const between = Math.round(value * (1 - saturation * (sector % 2 === 0 ? 1 - part : part)));
    const sixth = sector % 6;
    data[i] = sixth === 0 || sixth === 5 ? value : sixth === 1 || sixth === 4 ? between : low;
    data[i + 1] = sixth === 1 || sixth === 2 ? value : sixth === 0 || sixth === 3 ? between : low;
    data[i + 2] = sixth === 3 || sixth === 4 ? value : sixth === 2 || sixth === 5 ? between : low;
  }
}
