import { expect, test } from 'vitest';
import { decodeBmp } from '../../src-main/data/bmp.ts';
import { bitmap } from './pictures.ts';

const red = [255, 0, 0];
const green = [0, 255, 0];
const blue = [0, 0, 255];
const black = [0, 0, 0];
/** Palette entries are blue, green, red, 0. */
const palette = [0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0];

const pixelsOf = (bytes: Buffer) => {
  const { width, height, data } = decodeBmp(bytes);
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]),
  );
};

test('rows run from the bottom, or from the top where the height is negative', () => {
  const pixels = [0, 0, 255, 0, 255, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0];
  const rows = [
    [red, green],
    [blue, black],
  ];
  expect(pixelsOf(bitmap({ width: 2, height: -2, bits: 24, pixels }))).toEqual(rows);
  expect(pixelsOf(bitmap({ width: 2, height: 2, bits: 24, pixels }))).toEqual(rows.toReversed());
});

test.each([
  [1, [0b01000000, 0, 0, 0], [red, green, red]],
  [2, [0b00011000, 0, 0, 0], [red, green, blue]],
  [4, [0x01, 0x20, 0, 0], [red, green, blue]],
  [8, [0, 1, 2, 0], [red, green, blue]],
])('%i bits a pixel index a palette, also at odd widths', (bits, pixels, row) => {
  expect(pixelsOf(bitmap({ width: 3, height: 2, bits, palette, pixels: [...pixels, ...pixels] }))).toEqual([
    row,
    row,
  ]);
});

test('the pixels start where the header says, not after the palette', () => {
  const bytes = bitmap({ width: 3, height: 1, bits: 8, palette, gap: 10, pixels: [2, 1, 0, 0] });
  expect(pixelsOf(bytes)).toEqual([[blue, green, red]]);
});

test('16 and 32 bits follow their masks', () => {
  const masks = [0xf800, 0x07e0, 0x001f];
  const pixels = [0x00, 0xf8, 0xe0, 0x07];
  expect(pixelsOf(bitmap({ width: 2, height: 1, bits: 16, compression: 3, masks, pixels }))).toEqual([
    [red, green],
  ]);
  const wide = [0xff000000, 0xff0000, 0xff00];
  const long = [7, 0, 0, 255, 7, 0, 255, 0];
  expect(
    pixelsOf(bitmap({ width: 2, height: 1, bits: 32, compression: 3, masks: wide, pixels: long })),
  ).toEqual([[red, green]]);
  expect(pixelsOf(bitmap({ width: 1, height: 1, bits: 32, pixels: [0, 0, 255, 0] }))).toEqual([[red]]);
  expect(pixelsOf(bitmap({ width: 1, height: 1, bits: 16, pixels: [0x00, 0x7c, 0, 0] }))).toEqual([[red]]);
});

test('run lengths: runs, copies, row ends, moves and an early end', () => {
  // Three reds; then two copied (green, blue, padded), then a move over the last row to (1, 2): one blue; the end.
  const pixels = [3, 0, 0, 0, 0, 3, 1, 2, 1, 0, 0, 0, 0, 2, 1, 0, 1, 2, 0, 1];
  expect(pixelsOf(bitmap({ width: 3, height: -3, bits: 8, compression: 1, palette, pixels }))).toEqual([
    [red, red, red],
    [green, blue, green],
    [red, blue, red],
  ]);
  const nibbles = [3, 0x01, 0, 0, 0, 3, 0x12, 0x00, 0, 1];
  expect(
    pixelsOf(bitmap({ width: 3, height: -2, bits: 4, compression: 2, palette, pixels: nibbles })),
  ).toEqual([
    [red, green, red],
    [green, blue, red],
  ]);
});

test.each([
  ['cut off', bitmap({ width: 9, height: 9, bits: 24, pixels: [1, 2, 3] }), 'cut off'],
  [
    'cut off in a run',
    bitmap({ width: 9, height: 9, bits: 8, compression: 1, palette, pixels: [3] }),
    'cut off',
  ],
  ['no extents', bitmap({ width: 0, height: 9, bits: 24, pixels: [] }), 'extents'],
  ['5 bits', bitmap({ width: 1, height: 1, bits: 5, pixels: [1] }), '5 bits'],
  ['embedded JPEG', bitmap({ width: 1, height: 1, bits: 24, compression: 4, pixels: [1] }), 'compression 4'],
  ['only a header', Buffer.from('BM'), 'header'],
])('a bitmap that cannot be read says why: %s', (_, bytes, reason) => {
  expect(() => decodeBmp(bytes)).toThrow(reason);
});

test('random bytes after a header end in an image or an error, never in a hang', () => {
  const noise = Buffer.from(
    Array.from({ length: 4000 }, (_, index) => (index * 7919 + (index >> 3) * 31) % 256),
  );
  for (const [bits, compression] of [
    [8, 1],
    [4, 2],
    [8, 0],
    [1, 0],
  ]) {
    for (let from = 0; from < 200; from += 7) {
      const pixels = [...noise.subarray(from, from + 300)];
      const bytes = bitmap({ width: 40, height: 30, bits, compression, palette, pixels });
      try {
        expect(decodeBmp(bytes).data).toHaveLength(40 * 30 * 3);
      } catch (error) {
        expect((error as Error).message).toContain('cut off');
      }
    }
  }
});
