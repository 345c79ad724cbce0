import { expect, test } from 'vitest';
import { lightFindings, shapeFindings } from '../../src-main/data/image-findings.ts';
import { lookHeight, lookWidth } from '../../src-main/data/perceptual-hash.ts';

const look = (luminance: (x: number, y: number) => number) =>
  Uint8Array.from({ length: lookWidth * lookHeight }, (_, at) =>
    luminance(at % lookWidth, Math.floor(at / lookWidth)),
  );
const textured = look((x, y) => 40 + ((x * 37 + y * 91) % 160));
const shapes = (...sizes: [number, number][]) =>
  shapeFindings(sizes.map(([width, height]) => ({ path: 'a.jpg', width, height }))).map(
    ({ kind, detail }) => [kind, detail],
  );

test('shapes of which a center crop cuts off half, and images small beside the others, are named', () => {
  const usual: [number, number][] = [
    [500, 375],
    [375, 500],
    [480, 360],
  ];
  expect(shapes(...usual, [399, 200])).toEqual([]);
  expect(shapes(...usual, [1200, 300])).toEqual([
    ['extreme-aspect', '1200 × 300 pixels: a center crop would cut off 75 %'],
  ]);
  expect(shapes(...usual, [150, 120])).toEqual([
    ['odd-size', '150 × 120 pixels, where the shorter side usually has 375'],
  ]);
  expect(shapes([32, 32], [32, 32], [32, 32])).toEqual([]);
});

test('plain, dark and blurred pictures are told from others, each by its plainest fault', () => {
  const names = (seen: ReturnType<typeof look>, width = 640) =>
    lightFindings({ path: 'a.jpg', width, height: 480 }, seen).map(({ kind }) => kind);
  expect(names(textured)).toEqual([]);
  expect(names(look((x) => 100 + (x % 5)))).toEqual(['blank']);
  expect(names(look((x, y) => (x * 7 + y * 3) % 16))).toEqual(['dark']);
  const smooth = look((x, y) => 20 + 3 * x + 2 * y);
  expect(names(smooth)).toEqual(['blurred']);
  expect(names(smooth, 64)).toEqual([]);
  // A night with lights is no dark picture that shows nothing.
  expect(names(look((x, y) => ((x * 5 + y * 3) % 11 === 0 ? 255 : 3)))).toEqual([]);
});
