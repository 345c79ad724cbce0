import type { Preprocessing } from '../../src-shared/domain.ts';
import type { View } from './evaluation.ts';
import type { Normalization, Span } from './resample.ts';

/** Which part of a stored image becomes the network's input, and whether mirrored. */
export interface Crop {
  columns: Span;
  rows: Span;
  mirrored: boolean;
}

/** Width and height in pixels. */
export type Size = readonly [width: number, height: number];

/** A part of a picture in whole pixels, mirrored or not. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
  mirrored: boolean;
}

/** Extents in pixels of an image as it is stored, and as it was. */
export interface Extents {
  width: number;
  height: number;
  originalWidth: number;
  originalHeight: number;
}

/** A region of a picture of `drawn` extents, cut in proportion out of the stored one and resized to size × size. */
export function regionCrop({ width, height }: Extents, size: number, region: Region, drawn: Size): Crop {
  const cut = (from: number, extent: number, of: number, stored: number): Span => {
    const start = Math.min(stored - 1, Math.round((from * stored) / of));
    const whole = Math.max(1, Math.min(stored - start, Math.round((extent * stored) / of)));
    return { start, extent: whole, length: size, first: 0, count: size };
  };
  return {
    columns: cut(region.x, region.width, drawn[0], width),
    rows: cut(region.y, region.height, drawn[1], height),
    mirrored: region.mirrored,
  };
}

/** Shorter side in pixels to which an image is resized before the center crop of `size`. */
export const evaluationShorter = (size: number, { resizeShorter, inputSize }: Preprocessing): number =>
  Math.max(size, Math.floor((size * resizeShorter) / inputSize));

/** The evaluation crop: the whole resized to `resized`, then a view of size × size, placed as torchvision rounds the middle. */
export function viewCrop({ width, height }: Extents, size: number, resized: Size, view: View): Crop {
  const place = (stored: number, length: number, share: number, fromEnd = false): Span => {
    const before = roundHalfToEven((length - size) * share);
    const first = fromEnd ? length - size - before : before;
    return { start: 0, extent: stored, length, first, count: size };
  };
  return {
    // What is on the left of a mirrored picture was on its right.
    columns: place(width, resized[0], view.across, view.mirrored),
    rows: place(height, resized[1], view.down),
    mirrored: view.mirrored,
  };
}

/** Extents of an image resized so that its shorter side is `shorter`, the longer cut to whole pixels. */
export function resizedExtents(width: number, height: number, shorter: number): [number, number] {
  return width < height
    ? [shorter, Math.floor((shorter * height) / width)]
    : [Math.floor((shorter * width) / height), shorter];
}

/** Bytes to normalized input: (v / 255 − mean) / std. */
export function normalizationOf({ mean, std }: Preprocessing): Normalization {
  return {
    scale: [1 / (255 * std[0]), 1 / (255 * std[1]), 1 / (255 * std[2])],
    shift: [-mean[0] / std[0], -mean[1] / std[1], -mean[2] / std[2]],
  };
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
