import { expect, test } from 'vitest';
import { centerCrop, normalizationOf, randomCrop, resizedExtents } from '../../src-main/data/crops.ts';
import { randomOf } from '../../src-main/data/random.ts';
import { resample } from '../../src-main/data/resample.ts';
import reference from '../fixtures/data/torchvision-resize.json' with { type: 'json' };

const preprocessing = { inputSize: 224, resizeShorter: 256 };
const bytesAsTheyAre = normalizationOf({
  ...preprocessing,
  mean: [0, 0, 0],
  std: [1 / 255, 1 / 255, 1 / 255],
});

function pattern(width: number, height: number) {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[at++] = (x * 37 + y * 61 + c * 83 + ((x * y) % 23) * 7) % 256;
  return { width, height, originalWidth: width, originalHeight: height, data };
}

test.each(reference.cases)(
  'resize and center crop agree with torchvision: $width × $height to $shorter, crop $size',
  ({ width, height, shorter, size, pixels }) => {
    const image = pattern(width, height);
    const { columns, rows, mirrored } = centerCrop(image, size, shorter);
    const out = new Float32Array(size * size * 3);
    resample(image, columns, rows, mirrored, bytesAsTheyAre, out, 0);
    // Pillow rounds to whole numbers after each of its two passes: at most 1 away.
    expect(Math.max(...out.map((value, index) => Math.abs(value - pixels[index])))).toBeLessThanOrEqual(1.01);
    const mean = out.reduce((sum, value, index) => sum + Math.abs(value - pixels[index]), 0) / out.length;
    expect(mean).toBeLessThan(0.5);
  },
);

test('an image that keeps its size keeps its pixels, mirrored ones in reverse', () => {
  const image = pattern(7, 5);
  const whole = (extent: number) => ({ start: 0, extent, length: extent, first: 0, count: extent });
  const out = new Float32Array(7 * 5 * 3);
  resample(image, whole(7), whole(5), false, bytesAsTheyAre, out, 0);
  for (const [index, value] of out.entries()) expect(value).toBeCloseTo(image.data[index], 3);
  const mirrored = new Float32Array(7 * 5 * 3);
  resample(image, whole(7), whole(5), true, bytesAsTheyAre, mirrored, 0);
  for (let y = 0; y < 5; y++)
    for (let x = 0; x < 7; x++)
      expect(mirrored[(y * 7 + x) * 3]).toBeCloseTo(image.data[(y * 7 + 6 - x) * 3], 3);
});

test('channels are normalized as (v / 255 − mean) / std', () => {
  const image = { ...pattern(1, 1), data: Uint8Array.of(0, 128, 255) };
  const one = { start: 0, extent: 1, length: 1, first: 0, count: 1 };
  const out = new Float32Array(3);
  const statistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
  const normalization = normalizationOf({
    ...preprocessing,
    mean: [...statistics.mean],
    std: [...statistics.std],
  });
  resample(image, one, one, false, normalization, out, 0);
  const expected = [0, 128 / 255, 1].map((v, c) => (v - statistics.mean[c]) / statistics.std[c]);
  for (const [channel, value] of expected.entries()) expect(out[channel]).toBeCloseTo(value, 5);
});

test('random crops lie inside the image, with areas of 0.2 … 1 and ratios of 3/4 … 4/3', () => {
  let mirrored = 0;
  const shares: number[] = [];
  for (let draw = 0; draw < 4000; draw++) {
    const crop = randomCrop(pattern(120, 90), 64, randomOf(draw, 'crop'));
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

test('very narrow and tiny images have crops too', () => {
  for (const [width, height] of [
    [400, 3],
    [3, 400],
    [1, 1],
    [2, 1],
  ]) {
    for (let draw = 0; draw < 50; draw++) {
      const { columns, rows } = randomCrop(pattern(width, height), 8, randomOf(draw, 'crop'));
      expect(columns.extent).toBeGreaterThan(0);
      expect(rows.start + rows.extent).toBeLessThanOrEqual(height);
      expect(columns.start + columns.extent).toBeLessThanOrEqual(width);
    }
    const image = pattern(width, height);
    const { columns, rows } = centerCrop(image, 8, 9);
    const out = new Float32Array(8 * 8 * 3);
    resample(image, columns, rows, false, bytesAsTheyAre, out, 0);
    expect(out.every((value) => value >= 0 && value <= 255)).toBe(true);
  }
});

test('resized extents are cut to whole pixels, never to none', () => {
  expect(resizedExtents(640, 480, 146)).toEqual([194, 146]);
  expect(resizedExtents(480, 641, 146)).toEqual([146, 194]);
});
