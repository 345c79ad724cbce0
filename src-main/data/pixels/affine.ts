import type { RgbImage } from '../image.ts';

/** Where an output pixel (x, y) comes from: (a x + b y + c, d x + e y + f), as Pillow's Image.transform takes it. */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const degrees = Math.PI / 180;

/** Moves each row by `slope` times its distance from the top. */
export const shearX = (picture: RgbImage, slope: number): void => transform(picture, [1, slope, 0, 0, 1, 0]);

/** Moves each column by `slope` times its distance from the left. */
export const shearY = (picture: RgbImage, slope: number): void => transform(picture, [1, 0, 0, slope, 1, 0]);

/** Moves the picture by whole pixels, to the right and down. */
export const translate = (picture: RgbImage, right: number, down: number): void =>
  transform(picture, [1, 0, -right, 0, 1, -down]);

/** Turns the picture about its middle, counter-clockwise. */
export function rotate(picture: RgbImage, angle: number): void {
  const [cos, sin] = [Math.cos(-angle * degrees), Math.sin(-angle * degrees)];
  const [x, y] = [picture.width / 2, picture.height / 2];
  transform(picture, [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y]);
}

/** The nearest pixel of each place, black where there is none; in the 16.16 fixed point of Pillow's Geometry.c. */
function transform({ data, width, height }: RgbImage, [a, b, c, d, e, f]: Affine): void {
  const before = data.slice();
  const fixed = (value: number) => Math.floor(value * 65536 + 0.5);
  const [acrossX, downX, acrossY, downY] = [fixed(a), fixed(b), fixed(d), fixed(e)];
  const firstX = fixed(c + a * 0.5 + b * 0.5);
  const firstY = fixed(f + d * 0.5 + e * 0.5);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 3) {
      const fromX = Math.floor((firstX + downX * y + acrossX * x) / 65536);
      const fromY = Math.floor((firstY + downY * y + acrossY * x) / 65536);
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) data.fill(0, at, at + 3);
      else {
        const from = (fromY * width + fromX) * 3;
        for (let k = 0; k < 3; k++) data[at + k] = before[from + k];
      }
    }
}
