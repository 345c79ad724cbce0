import { expect, test } from 'vitest';
import { regionCrop } from '../../src-main/data/crops.ts';
import { randomOf } from '../../src-main/data/random.ts';
import { randomCrop } from '../../src-main/data/training-crops/random-crop.ts';

/** A crop of a picture of these extents, as the input of `size` is made of it. */
function drawn(width: number, height: number, draw: number, options: object = {}, square?: number) {
  const on = square === undefined ? ([width, height] as const) : ([square, square] as const);
  const region = randomCrop.draw!(...on, randomOf(draw, 'crop'), randomCrop.options.parse(options));
  const extents = { width, height, originalWidth: width, originalHeight: height };
  return regionCrop(extents, 64, region, on);
}

test('a `random-crop` lies inside the picture, with areas of 0.2 … 1 and ratios of 3/4 … 4/3', () => {
  let mirrored = 0;
  const shares: number[] = [];
  for (let draw = 0; draw < 4000; draw++) {
    const crop = drawn(120, 90, draw);
    const { columns, rows } = crop;
    expect(columns.start + columns.extent).toBeLessThanOrEqual(120);
    expect(rows.start + rows.extent).toBeLessThanOrEqual(90);
    const share = (columns.extent * rows.extent) / (120 * 90);
    shares.push(share);
    // Whole pixels: a little beyond the limits.
    expect(share).toBeGreaterThan(0.19);
    expect(columns.extent / rows.extent).toBeGreaterThan(0.72);
    expect(columns.extent / rows.extent).toBeLessThan(1.38);
    if (crop.mirrored) mirrored++;
  }
  expect(mirrored / 4000).toBeCloseTo(0.5, 1);
  expect(Math.min(...shares)).toBeLessThan(0.25);
  expect(Math.max(...shares)).toBeGreaterThan(0.85);
});

test('scale, ratio and flip of a `random-crop` are those that were chosen', () => {
  for (let draw = 0; draw < 200; draw++) {
    const { columns, rows, mirrored } = drawn(200, 200, draw, { scale: [0.08, 0.1], ratio: [1, 1], flip: 0 });
    expect(columns.extent).toBe(rows.extent);
    expect((columns.extent * rows.extent) / 200 ** 2).toBeGreaterThan(0.078);
    expect((columns.extent * rows.extent) / 200 ** 2).toBeLessThan(0.102);
    expect(mirrored).toBe(false);
  }
  expect(() => randomCrop.options.parse({ scale: [0.5, 0.2] })).toThrow(/smaller number comes first/);
});

test('a crop drawn on a squashed square is cut from the picture in proportion', () => {
  for (let draw = 0; draw < 200; draw++) {
    const { columns, rows } = drawn(400, 100, draw, { ratio: [1, 1] }, 100);
    expect(Math.abs(columns.extent / rows.extent - 4)).toBeLessThan(0.15);
    expect(columns.start + columns.extent).toBeLessThanOrEqual(400);
    expect(rows.start + rows.extent).toBeLessThanOrEqual(100);
  }
});

test('very narrow and tiny pictures have crops too', () => {
  for (const [width, height] of [
    [400, 3],
    [3, 400],
    [1, 1],
    [2, 1],
  ])
    for (const square of [undefined, 9])
      for (let draw = 0; draw < 50; draw++) {
        const { columns, rows } = drawn(width, height, draw, {}, square);
        expect(Math.min(columns.extent, rows.extent)).toBeGreaterThan(0);
        expect(rows.start + rows.extent).toBeLessThanOrEqual(height);
        expect(columns.start + columns.extent).toBeLessThanOrEqual(width);
      }
});
