import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodeTo, openImage } from '../../src-main/data/decode.ts';
import { scene } from './pictures.ts';
import { tiff } from './tiffs.ts';

const [width, height] = [32, 24];
const { data: rgb } = await scene(5, width, height).raw().toBuffer({ resolveWithObject: true });
const gray = Uint8Array.from({ length: width * height }, (_, pixel) => rgb[3 * pixel + 1]);
const grayRgb = Uint8Array.from(rgb, (_, at) => gray[Math.floor(at / 3)]);
const [low, high] = gray.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [255, 0]);
const stretched = grayRgb.map((v) => Math.round(((v - low) * 255) / (high - low)));

const decode = async (bytes: Buffer) => {
  const image = await openImage(bytes);
  const { data } = await decodeTo(image, image.width, image.height, 'exact');
  return { data, reading: image.reading, image };
};
const difference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at])), 0);
const mapped = <T extends Float32Array | Uint16Array | Int16Array | Uint32Array>(
  type: new (length: number) => T,
  of: (value: number) => number,
  from: Uint8Array = gray,
): T => {
  const values = new type(from.length);
  for (const [at, value] of from.entries()) values[at] = of(value);
  return values;
};
const withExtra = (colors: Uint8Array, channels: number, extra: number[]) =>
  Uint8Array.from({ length: (colors.length / channels) * (channels + extra.length) }, (_, at) => {
    const [pixel, channel] = [Math.floor(at / (channels + extra.length)), at % (channels + extra.length)];
    return channel < channels ? colors[pixel * channels + channel] : extra[channel - channels];
  });

test.each([
  [
    'float 0 … 1',
    tiff(
      width,
      height,
      1,
      mapped(Float32Array, (v) => v / 255),
    ),
    grayRgb,
    '0 … 1 was read',
  ],
  [
    'float RGB 0 … 1',
    tiff(
      width,
      height,
      3,
      mapped(Float32Array, (v) => v / 255, rgb),
    ),
    rgb,
    '0 … 1 was read',
  ],
  [
    'float 0 … 255',
    tiff(
      width,
      height,
      1,
      mapped(Float32Array, (v) => v),
    ),
    grayRgb,
    '0 … 255 was read',
  ],
  [
    'float 0 … 65535',
    tiff(
      width,
      height,
      1,
      mapped(Float32Array, (v) => v * 257),
    ),
    grayRgb,
    '16 bits',
  ],
  [
    'float −1 … 1',
    tiff(
      width,
      height,
      1,
      mapped(Float32Array, (v) => v / 127.5 - 1),
    ),
    stretched,
    'smallest',
  ],
  [
    'float 0 … 0.05',
    tiff(
      width,
      height,
      1,
      mapped(Float32Array, (v) => v / 5100),
    ),
    stretched,
    'smallest',
  ],
  [
    'float 0 … 1.5',
    tiff(
      width,
      height,
      1,
      mapped(Float32Array, (v) => v / 170),
    ),
    stretched,
    'smallest',
  ],
  [
    '8 bits in 16',
    tiff(
      width,
      height,
      1,
      mapped(Uint16Array, (v) => v),
    ),
    grayRgb,
    '8 bits',
  ],
  [
    '12 bits in 16',
    tiff(
      width,
      height,
      1,
      mapped(Uint16Array, (v) => v * 16),
    ),
    grayRgb,
    '12 bits',
  ],
  [
    '14 bits in 16',
    tiff(
      width,
      height,
      3,
      mapped(Uint16Array, (v) => v * 64, rgb),
    ),
    rgb,
    '14 bits',
  ],
  [
    '16 bits',
    tiff(
      width,
      height,
      3,
      mapped(Uint16Array, (v) => v * 257, rgb),
    ),
    rgb,
    null,
  ],
  [
    'signed',
    tiff(
      width,
      height,
      1,
      mapped(Int16Array, (v) => v * 16 - 1024),
    ),
    stretched,
    'smallest',
  ],
  [
    '32 bits',
    tiff(
      width,
      height,
      1,
      mapped(Uint32Array, (v) => v * 1_000_000),
    ),
    stretched,
    'smallest',
  ],
  [
    'RGB and one more',
    tiff(width, height, 4, withExtra(rgb, 3, [40]), { extra: [0] }),
    rgb,
    'the other left out',
  ],
  [
    'signed RGB',
    tiff(
      width,
      height,
      3,
      mapped(Int16Array, (v) => v * 16, rgb),
    ),
    rgb,
    '12 bits',
  ],
  [
    'four bands of floating point',
    tiff(
      width,
      height,
      4,
      Float32Array.from(withExtra(rgb, 3, [255]), (v) => v / 255),
      { photometric: 1, extra: [0, 0, 0] },
    ),
    rgb,
    'red, green',
  ],
  [
    'five bands of 12 bits',
    tiff(
      width,
      height,
      5,
      Uint16Array.from(withExtra(rgb, 3, [7, 8]), (v) => v * 16),
      { photometric: 1 },
    ),
    rgb,
    '12 bits',
  ],
  [
    'RGB and one that is not named',
    tiff(width, height, 4, withExtra(rgb, 3, [40])),
    rgb,
    'the other left out',
  ],
  [
    'RGB and three more',
    tiff(width, height, 6, withExtra(rgb, 3, [1, 2, 3]), { extra: [0, 0, 0] }),
    rgb,
    'the other 3',
  ],
  [
    'gray and one more',
    tiff(width, height, 2, withExtra(gray, 1, [9]), { extra: [0] }),
    grayRgb,
    'first channel',
  ],
  [
    'five bands',
    tiff(width, height, 5, withExtra(rgb, 3, [7, 8]), { photometric: 1, extra: [0, 0, 0, 0] }),
    rgb,
    'red, green',
  ],
])('%s is the picture, and said where it is unusual', async (_, bytes, picture, said) => {
  const { data, reading } = await decode(bytes);
  // Half a level for rounding, half for the original's own.
  expect(difference(data, picture)).toBeLessThanOrEqual(1);
  if (said === null) expect(reading).toBeNull();
  else expect(reading).toContain(said);
});

test('12 bits in a 16-bit PNG, with transparency: the picture on white', async () => {
  const deep = Uint16Array.from({ length: 2 * gray.length }, (_, at) =>
    at % 2 === 1 ? (at < gray.length ? 0 : 65535) : gray[at >> 1] * 16,
  );
  const raw = { width, height, channels: 2 as const, premultiplied: false };
  const bytes = await sharp(deep, { raw }).toColourspace('grey16').png().toBuffer();
  expect((await sharp(bytes).metadata()).depth).toBe('ushort');
  const { data, reading } = await decode(bytes);
  expect(reading).toContain('12 bits');
  expect(data[0]).toBe(255);
  const last = data.length - 3;
  expect(Math.abs(data[last] - gray[gray.length - 1])).toBeLessThanOrEqual(1);
});

test('transparency that a TIFF declares is transparency', async () => {
  const { data, reading } = await decode(tiff(width, height, 4, withExtra(rgb, 3, [0]), { extra: [2] }));
  expect(new Set(data)).toEqual(new Set([255]));
  expect(reading).toBeNull();
});

test('values that are no numbers are black, and an image of nothing else is said', async () => {
  const values = mapped(Float32Array, (v) => v / 255);
  values[0] = Number.NaN;
  values[1] = Number.POSITIVE_INFINITY;
  const { data } = await decode(tiff(width, height, 1, values));
  expect([data[0], data[3]]).toEqual([0, 255]);
  expect(difference(data.subarray(6), grayRgb.subarray(6))).toBeLessThanOrEqual(1);
  const none = await decode(tiff(2, 2, 1, new Float32Array(4).fill(Number.NaN)));
  expect(none.reading).toContain('no floating-point value is a number');
  expect([...none.data]).toEqual(Array(12).fill(0));
});

test('a deep image without its end is broken, and one of too many channels is huge', async () => {
  const bytes = tiff(
    width,
    height,
    1,
    mapped(Float32Array, (v) => v / 255),
  );
  await expect(openImage(bytes.subarray(0, bytes.length >> 1))).rejects.toMatchObject({ kind: 'broken' });
});

test('of several pages the first is read, and that is said', async () => {
  const frames = Buffer.alloc(8 * 12 * 3);
  for (let pixel = 0; pixel < 8 * 12; pixel++) frames[pixel * 3 + (pixel < 48 ? 0 : 2)] = 255;
  const raw = { width: 8, height: 12, channels: 3 as const, pageHeight: 6 };
  const bytes = await sharp(frames, { raw }).webp({ lossless: true }).toBuffer();
  expect((await decode(bytes)).reading).toBe('the first of 2 frames was read');
});
