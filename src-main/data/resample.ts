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
  const centerOf = (i: number) => (first + i + 0.5) * scale;
  const lowOf = (i: number) => Math.max(0, Math.floor(centerOf(i) - support + 0.5));
  const highOf = (i: number) => Math.min(extent, Math.floor(centerOf(i) + support + 0.5));
  let taps = 1;
  for (let i = 0; i < count; i++) taps = Math.max(taps, highOf(i) - lowOf(i));
  const starts = new Int32Array(count);
  const weights = new Float32Array(count * taps);
  for (let i = 0; i < count; i++) {
    const [low, high, center] = [lowOf(i), highOf(i), centerOf(i)];
    const from = Math.min(low, extent - taps);
    const at = mirrored ? count - 1 - i : i;
    let sum = 0;
    for (let x = low; x < high; x++) sum += Math.max(0, 1 - Math.abs(x - center + 0.5) / support);
    for (let x = low; x < high; x++) {
      weights[at * taps + x - from] = Math.max(0, 1 - Math.abs(x - center + 0.5) / support) / sum;
    }
    starts[at] = start + from;
  }
  return { taps, starts, weights };
}

/** One row of the image after the first pass; grows to the widest seen. */
let row = new Float32Array(0);

/**
 * Resamples a part of an image, columns × rows, normalizes it and writes it to `out`, height × width × 3.
 * Separable, in float throughout (Pillow rounds to 8 bits after each pass: up to 1/255 apart). Columns are resampled
 * first: that pass runs straight along the rows, and leaves fewer of them to the second.
 */
export function resample(
  image: RgbImage,
  { columns, rows, mirrored }: { columns: Span; rows: Span; mirrored: boolean },
  { scale, shift }: Normalization,
  out: Float32Array,
): void {
  const across = triangleAxis(columns, mirrored);
  const down = triangleAxis(rows, false);
  const left = across.starts[mirrored ? columns.count - 1 : 0];
  const right = across.starts[mirrored ? 0 : columns.count - 1] + across.taps;
  const values = (right - left) * 3;
  if (row.length < values) row = new Float32Array(values);
  for (let y = 0; y < rows.count; y++) {
    const weights = down.weights.subarray(y * down.taps, (y + 1) * down.taps);
    mixRows(image.data, (down.starts[y] * image.width + left) * 3, image.width * 3, weights, row, values);
    mixPixels(row, left, across, scale, shift, out, y * columns.count * 3);
  }
}

/** row[i] = Σ_k weights[k] · data[from + k · stride + i]: three rows in one go, which most scales need. */
function mixRows(
  data: Uint8Array,
  from: number,
  stride: number,
  weights: Float32Array,
  row: Float32Array,
  values: number,
): void {
  const [w0, w1 = 0, w2 = 0] = weights;
  const second = from + (weights.length > 1 ? stride : 0);
  const third = from + (weights.length > 2 ? 2 * stride : 0);
  for (let i = 0; i < values; i++) {
    row[i] = w0 * data[from + i] + w1 * data[second + i] + w2 * data[third + i];
  }
  for (let k = 3; k < weights.length; k++) {
    const weight = weights[k];
    const start = from + k * stride;
    for (let i = 0; i < values; i++) row[i] += weight * data[start + i];
  }
}

function mixPixels(
  row: Float32Array,
  left: number,
  { taps, starts, weights }: Axis,
  [scaleR, scaleG, scaleB]: Normalization['scale'],
  [shiftR, shiftG, shiftB]: Normalization['shift'],
  out: Float32Array,
  offset: number,
): void {
  for (let x = 0, at = 0, to = offset; x < starts.length; x++, to += 3) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let k = 0, from = (starts[x] - left) * 3; k < taps; k++, from += 3) {
      const weight = weights[at++];
      red += weight * row[from];
      green += weight * row[from + 1];
      blue += weight * row[from + 2];
    }
    out[to] = red * scaleR + shiftR;
    out[to + 1] = green * scaleG + shiftG;
    out[to + 2] = blue * scaleB + shiftB;
  }
}
