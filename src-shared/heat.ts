/** How an activation map is laid over a picture. */

/** A map, row-major [rows, columns]. */
export interface HeatMap {
  rows: number;
  columns: number;
  values: ArrayLike<number>;
}

/**
 * What speaks for the class, from 0 to 1 at every pixel, row-major [height, width]: negative values are nothing, then bilinear with
 * half-pixel centers, then divided by the largest (by 1e-12 where that is smaller). Selvaraju et al., «Grad-CAM», ICCV 2017.
 */
export function heatOf({ rows, columns, values }: HeatMap, width: number, height: number): Float32Array {
  const across = axis(columns, width);
  const down = axis(rows, height);
  const heat = new Float32Array(width * height);
  const at = (row: number, column: number) => Math.max(0, values[row * columns + column]);
  let largest = 1e-12;
  for (let y = 0; y < height; y++) {
    const { low: top, high: bottom, share: v } = down[y];
    for (let x = 0; x < width; x++) {
      const { low: left, high: right, share: u } = across[x];
      const above = at(top, left) * (1 - u) + at(top, right) * u;
      const below = at(bottom, left) * (1 - u) + at(bottom, right) * u;
      const value = above * (1 - v) + below * v;
      heat[y * width + x] = value;
      if (value > largest) largest = value;
    }
  }
  return heat.map((value) => value / largest);
}

/** Where each of `length` pixels lies between the `count` values of an axis. */
function axis(count: number, length: number): { low: number; high: number; share: number }[] {
  return Array.from({ length }, (_, i) => {
    const center = Math.max(0, ((i + 0.5) * count) / length - 0.5);
    const low = Math.min(count - 1, Math.floor(center));
    return { low, high: Math.min(count - 1, low + 1), share: center - low };
  });
}

/** Colors of heat 0 to 1: matplotlib's `inferno`, whose lightness rises all the way, so that gray prints and any eyes tell it. */
const stops: readonly (readonly [number, number, number])[] = [
  [0, 0, 4],
  [40, 11, 84],
  [101, 21, 110],
  [159, 42, 99],
  [212, 72, 66],
  [245, 125, 21],
  [250, 193, 39],
  [252, 255, 164],
];

/** The color of a heat, each channel 0 to 255. */
function colorOf(heat: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, heat)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(stops[low][channel] + (stops[low + 1][channel] - stops[low][channel]) * (at - low));
  return [mix(0), mix(1), mix(2)];
}

/** RGBA pixels of a heat map: what is cold is see-through, so that the picture stays visible there. */
export function heatPixels(map: HeatMap, width: number, height: number): Uint8ClampedArray<ArrayBuffer> {
  const heat = heatOf(map, width, height);
  const pixels = new Uint8ClampedArray(4 * heat.length);
  for (let i = 0; i < heat.length; i++) {
    pixels.set(colorOf(heat[i]), 4 * i);
    pixels[4 * i + 3] = Math.round(255 * heat[i]);
  }
  return pixels;
}
