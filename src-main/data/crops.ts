import type { Preprocessing } from '../../src-shared/domain.ts';
import type { Random } from './random.ts';
import type { Normalization, Span } from './resample.ts';

/** Which part of a stored image becomes the network's input. */
export interface Crop {
  columns: Span;
  rows: Span;
  mirrored: boolean;
}

/** Extents in pixels of an image as it is stored, and as it was. */
export interface Extents {
  width: number;
  height: number;
  originalWidth: number;
  originalHeight: number;
}

const areaShare = [0.2, 1] as const;
const aspectRatio = [3 / 4, 4 / 3] as const;

/**
 * A random training crop: area 0.2 … 1 of the image, aspect ratio 3/4 … 4/3 (log-uniform), resized to size × size,
 * mirrored half of the time (Szegedy et al., CVPR 2015; drawn as torchvision's RandomResizedCrop draws it).
 */
export function randomCrop({ width, height }: Extents, size: number, random: Random): Crop {
  const mirrored = random() < 0.5;
  const whole = (start: number, extent: number): Span => ({
    start,
    extent,
    length: size,
    first: 0,
    count: size,
  });
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * (areaShare[0] + random() * (areaShare[1] - areaShare[0]));
    const low = Math.log(aspectRatio[0]);
    const ratio = Math.exp(low + random() * (Math.log(aspectRatio[1]) - low));
    const w = Math.round(Math.sqrt(area * ratio));
    const h = Math.round(Math.sqrt(area / ratio));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const x = Math.floor(random() * (width - w + 1));
    const y = Math.floor(random() * (height - h + 1));
    return { columns: whole(x, w), rows: whole(y, h), mirrored };
  }
  // Too narrow an image for such ratios: its middle, with the nearest ratio.
  const w = Math.min(width, Math.max(1, Math.round(height * aspectRatio[1])));
  const h = Math.min(height, Math.max(1, Math.round(width / aspectRatio[0])));
  return {
    columns: whole(Math.floor((width - w) / 2), w),
    rows: whole(Math.floor((height - h) / 2), h),
    mirrored,
  };
}

/** Shorter side in pixels to which an image is resized before the center crop of `size`. */
export const evaluationShorter = (size: number, { resizeShorter, inputSize }: Preprocessing): number =>
  Math.max(size, Math.floor((size * resizeShorter) / inputSize));

/** The evaluation crop: shorter side resized to `shorter`, then the middle size × size, as torchvision rounds them. */
export function centerCrop(extents: Extents, size: number, shorter: number): Crop {
  const [width, height] = resizedExtents(extents.originalWidth, extents.originalHeight, shorter);
  const middle = (stored: number, resized: number): Span => ({
    start: 0,
    extent: stored,
    length: resized,
    first: roundHalfToEven((resized - size) / 2),
    count: size,
  });
  return { columns: middle(extents.width, width), rows: middle(extents.height, height), mirrored: false };
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
