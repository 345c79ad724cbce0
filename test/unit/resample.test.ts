import { expect, test } from 'vitest';
import { normalizationOf, resizedExtents, viewCrop } from '../../src-main/data/crops.ts';
import { centerCrop } from '../../src-main/data/evaluations/center-crop.ts';
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

const middleOf = (image: ReturnType<typeof pattern>, size: number, shorter: number) =>
  viewCrop(image, size, resizedExtents(image.width, image.height, shorter), centerCrop.views[0]);

test.each(reference.cases)(
  'resize and center crop agree with torchvision: $width × $height to $shorter, crop $size',
  ({ width, height, shorter, size, pixels }) => {
    const image = pattern(width, height);
    const out = new Float32Array(size * size * 3);
    resample(image, middleOf(image, size, shorter), bytesAsTheyAre, out);
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
  resample(image, { columns: whole(7), rows: whole(5), mirrored: false }, bytesAsTheyAre, out);
  for (const [index, value] of out.entries()) expect(value).toBeCloseTo(image.data[index], 3);
  const mirrored = new Float32Array(7 * 5 * 3);
  resample(image, { columns: whole(7), rows: whole(5), mirrored: true }, bytesAsTheyAre, mirrored);
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
  resample(image, { columns: one, rows: one, mirrored: false }, normalization, out);
  const expected = [0, 128 / 255, 1].map((v, c) => (v - statistics.mean[c]) / statistics.std[c]);
  for (const [channel, value] of expected.entries()) expect(out[channel]).toBeCloseTo(value, 5);
});

test('very narrow and tiny images have a middle too', () => {
  for (const [width, height] of [
    [400, 3],
    [3, 400],
    [1, 1],
    [2, 1],
  ]) {
    const image = pattern(width, height);
    const out = new Float32Array(8 * 8 * 3);
    resample(image, middleOf(image, 8, 9), bytesAsTheyAre, out);
    expect(out.every((value) => value >= 0 && value <= 255)).toBe(true);
  }
});

test('resized extents are cut to whole pixels, never to none', () => {
  expect(resizedExtents(640, 480, 146)).toEqual([194, 146]);
  expect(resizedExtents(480, 641, 146)).toEqual([146, 194]);
});
