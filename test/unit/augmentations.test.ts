import { expect, test } from 'vitest';
import { augmentations } from '../../src-main/data/augmentations/index.ts';
import { operations } from '../../src-main/data/augmentations/trivial-augment.ts';
import type { RgbImage } from '../../src-main/data/image.ts';
import { adjustHue } from '../../src-main/data/pixels/color.ts';
import { randomOf } from '../../src-main/data/random.ts';
import reference from '../fixtures/data/torchvision-augmentations.json' with { type: 'json' };

const { width, height } = reference;

/** The picture that the reference's changes were made of. */
function pattern(): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[at++] = ((x * 37 + y * 61 + c * 83 + ((x * y) % 23) * 7) % 201) + 20;
  return { width, height, data };
}

test.each(reference.cases)(
  '`trivial-augment` and `color-jitter` change pixels as torchvision does: $operation $parameter',
  ({ operation, parameter, pixels }) => {
    const picture = pattern();
    const apply = operation === 'Hue' ? adjustHue : operations.find(({ name }) => name === operation)!.apply;
    apply(picture, parameter);
    // Pillow's arithmetic, number for number.
    const expected = Buffer.from(pixels, 'base64');
    expect(Buffer.from(picture.data).equals(expected)).toBe(true);
  },
);

/** What an augmentation makes of the pattern at one place of a batch. */
function changed(name: string, position: number, options: object = {}): Uint8Array {
  const part = augmentations.find((one) => one.name === name)!;
  const picture = pattern();
  part.pixels!(picture, randomOf(7, name, 0, position), part.options.parse(options));
  return picture.data;
}

const none = { brightness: 0, contrast: 0, saturation: 0, hue: 0 };

test('`color-jitter` changes what it is asked to, at every place otherwise, and no more than asked', () => {
  expect(changed('color-jitter', 0, none)).toEqual(pattern().data);
  const pictures = Array.from({ length: 50 }, (_, position) => changed('color-jitter', position).join());
  expect(new Set(pictures).size).toBe(50);
  const { data: before } = pattern();
  for (let position = 0; position < 100; position++)
    for (const [i, value] of changed('color-jitter', position, { ...none, brightness: 0.2 }).entries()) {
      // Cut to whole numbers: one below at most.
      expect(value).toBeGreaterThanOrEqual(Math.trunc(before[i] * 0.8) - 1);
      expect(value).toBeLessThanOrEqual(Math.min(255, before[i] * 1.2));
    }
});

test('`color-jitter` takes its changes in an order of their own for each picture', () => {
  const part = augmentations.find(({ name }) => name === 'color-jitter')!;
  const options = part.options.parse({ ...none, brightness: 1, contrast: 1 });
  const results = Array.from({ length: 60 }, (_, position) => {
    const picture = pattern();
    let draws = 0;
    const random = randomOf(3, 'color-jitter', 0, position);
    // Three draws make the order; after them both factors are 1.5, whose order decides what is cut off at 255.
    part.pixels!(picture, () => (draws++ < 3 ? random() : 0.75), options);
    return picture.data.join();
  });
  const [first, ...others] = new Set(results);
  expect(others).toHaveLength(1);
  // 60 draws at one half: deviation 4.
  expect(Math.abs(results.filter((one) => one === first).length - 30)).toBeLessThan(16);
});

test('`trivial-augment` draws each operation about equally often', () => {
  const plain = pattern().data.join();
  const kept = Array.from({ length: 600 }, (_, position) => changed('trivial-augment', position)).filter(
    (data) => data.join() === plain,
  ).length;
  // Identity, and the weakest bin of most others: 1/14 + 10/14 · 1/31 + 1/14 · 3/31 + … of 600 = 61 ± 7.
  expect(kept).toBeGreaterThan(35);
  expect(kept).toBeLessThan(95);
});

test('`random-erasing` hides one rectangle of the chosen size in the chosen share of pictures', () => {
  const erasing = augmentations.find(({ name }) => name === 'random-erasing')!;
  const size = 32;
  const areas = Array.from({ length: 400 }, (_, position) => {
    const values = new Float32Array(size * size * 3).fill(1);
    const options = erasing.options.parse({ probability: 0.25, area: [0.1, 0.2] });
    erasing.input!(values, size, randomOf(7, 'random-erasing', 0, position), options);
    const hidden = [...values.keys()].filter((i) => values[i] === 0).map((i) => Math.floor(i / 3));
    if (hidden.length === 0) return 0;
    const [rows, columns] = [hidden.map((at) => Math.floor(at / size)), hidden.map((at) => at % size)];
    const span = (list: number[]) => Math.max(...list) - Math.min(...list) + 1;
    expect(span(rows) * span(columns) * 3).toBe(hidden.length);
    return (span(rows) * span(columns)) / size ** 2;
  });
  const erased = areas.filter((area) => area > 0);
  // 400 draws at 0.25: deviation 0.022.
  expect(erased.length / 400).toBeCloseTo(0.25, 1);
  // Sides are whole pixels.
  expect(Math.min(...erased)).toBeGreaterThan(0.085);
  expect(Math.max(...erased)).toBeLessThan(0.22);
});

test('`random-erasing` may fill with noise of mean 0 and deviation 1', () => {
  const erasing = augmentations.find(({ name }) => name === 'random-erasing')!;
  const values = new Float32Array(64 * 64 * 3).fill(9);
  const options = erasing.options.parse({ probability: 1, area: [0.3, 0.3], value: 'noise' });
  erasing.input!(values, 64, randomOf(1, 'random-erasing'), options);
  const noise = [...values].filter((value) => value !== 9);
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
  const square = noise.reduce((sum, value) => sum + value ** 2, 0) / noise.length;
  // About 3,700 values: deviations 0.016 and 0.023.
  expect(Math.abs(mean)).toBeLessThan(0.08);
  expect(Math.abs(square - 1)).toBeLessThan(0.12);
});
