import type { RgbImage } from './image.ts';

/**
 * Filter taps of one axis: output i is the sum over k < `taps` of weights[i · taps + k] · input[starts[i] + k]. Taps
 * that an output does not need have weight 0 and stay inside the input.
 */
interface Axis {
  taps: number;
  starts: Int32Array;
  weights: Float32Array;
}

/** A stretch of one axis in input pixels, resampled to `length` outputs, of which `count` from `first` are wanted. */
export interface Span {
  start: number;
  extent: number;
  length: number;
  first: number;
  count: number;
}

/** Channel values v (0 … 255) become v · scale + shift. */
export interface Normalization {
  scale: readonly [number, number, number];
  shift: readonly [number, number, number];
}

/**
 * Triangle filter as Pillow's bilinear resize has it (libImaging/Resample.c, `precompute_coeffs`): plain linear
 * interpolation where the image grows, widened by the scale where it shrinks (antialiased). Taps end at the span's
 * edges, as if it had been cut out first. Mirrored, the outputs are in reverse order.
 */
function triangleAxis({ start, extent, length, first, count }: Span, mirrored: boolean): Axis {
  const scale = extent / length;
  const support = Math.max(scale, 1);
  const taps = Math.min(Math.ceil(support) * 2 + 1, extent);
  const starts = new Int32Array(count);
  const weights = new Float32Array(count * taps);
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    const low = Math.max(0, Math.floor(center - support + 0.5));
    const high = Math.min(extent, Math.floor(center + support + 0.5));
    const from = Math.min(low, extent - taps);
    const at = mirrored ? count - 1 - i : i;
    starts[at] = start + from;
    let sum = 0;
    for (let x = low; x < high; x++) {
      const weight = Math.max(0, 1 - Math.abs((x - center + 0.5) / support));
      weights[at * taps + x - from] = weight;
      sum += weight;
    }
    for (let k = 0; k < taps; k++) weights[at * taps + k] /= sum;
  }
  return { taps, starts, weights };
}

let rowSums = new Float32Array(0);

/**
 * Resamples a part of an image, columns × rows, normalizes it and writes it to `out` from `offset`, height × width × 3.
 * Separable: rows first, then columns, in float throughout (Pillow rounds to 8 bits after each: up to 1/255 apart).
 */
export function resample(
  image: RgbImage,
  columns: Span,
  rows: Span,
  mirrored: boolean,
  { scale, shift }: Normalization,
  out: Float32Array,
  offset: number,
): void {
  const across = triangleAxis(columns, mirrored);
  const down = triangleAxis(rows, false);
  const top = down.starts[0];
  const bottom = down.starts[rows.count - 1] + down.taps;
  const stride = columns.count * 3;
  if (rowSums.length < (bottom - top) * stride) rowSums = new Float32Array((bottom - top) * stride);
  const sums = rowSums;
  resampleRows(image, across, top, bottom, sums);

  const [scaleR, scaleG, scaleB] = scale;
  const [shiftR, shiftG, shiftB] = shift;
  const { taps, starts, weights } = down;
  for (let y = 0, to = offset; y < rows.count; y++) {
    const base = (starts[y] - top) * stride;
    for (let x = 0; x < stride; x += 3, to += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0, from = base + x; k < taps; k++, from += stride) {
        const weight = weights[y * taps + k];
        red += weight * sums[from];
        green += weight * sums[from + 1];
        blue += weight * sums[from + 2];
      }
      out[to] = red * scaleR + shiftR;
      out[to + 1] = green * scaleG + shiftG;
      out[to + 2] = blue * scaleB + shiftB;
    }
  }
}

function resampleRows(
  { width, data }: RgbImage,
  axis: Axis,
  top: number,
  bottom: number,
  sums: Float32Array,
): void {
  const { taps, starts, weights } = axis;
  const count = starts.length;
  for (let y = top, to = 0; y < bottom; y++) {
    const row = y * width;
    for (let x = 0; x < count; x++, to += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0, from = (row + starts[x]) * 3; k < taps; k++, from += 3) {
        const weight = weights[x * taps + k];
        red += weight * data[from];
        green += weight * data[from + 1];
        blue += weight * data[from + 2];
      }
      sums[to] = red;
      sums[to + 1] = green;
      sums[to + 2] = blue;
    }
  }
}
