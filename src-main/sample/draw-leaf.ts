/** Leaves, tip upward: a margin given by angles and radii. No kin of any target category. */
import type { Dice } from './dice.ts';
import {
  type Color,
  clipped,
  css,
  type Figure,
  fill,
  gradient,
  type Point,
  points,
  polar,
  polygon,
  smooth,
  stroke,
  vary,
} from './draw-shapes.ts';

export interface LeafForm {
  /** Right half's margin around the leaf's middle: angle from the tip in degrees, radius. */
  margin: readonly Point[];
  /** Pointed teeth with veins to every tip, or soft curves. */
  sharp: boolean;
}

export interface LeafCoat {
  blade: Color;
  vein: Color;
  rim: Color;
}

export const leafForms = {
  maple: {
    sharp: true,
    margin: points('0,44 14,27 24,31 32,18 52,44 62,31 78,38 86,20 116,34 128,22 165,20'),
  },
  oak: { sharp: false, margin: points('0,44 18,38 24,26 42,33 58,18 80,27 102,15 128,24 150,22 170,36') },
  linden: { sharp: false, margin: points('0,46 16,34 40,33 70,35 105,34 140,36 168,24') },
} satisfies Record<string, LeafForm>;

export const leafCoats = {
  spring: { blade: [88, 56, 48], vein: [76, 56, 72], rim: [100, 50, 38] },
  flame: { blade: [8, 78, 44], vein: [30, 80, 60], rim: [34, 90, 54] },
} satisfies Record<string, LeafCoat>;

/** One leaf of the given form and coat. */
export function drawLeaf(form: LeafForm, coat: LeafCoat, dice: Dice): Figure {
  const [blade, vein, rim] = [coat.blade, coat.vein, coat.rim].map((color) => vary(color, dice));
  const half = (side: 1 | -1) =>
    form.margin.map(([angle, radius]) =>
      polar(90 - side * (angle + dice.normal(1)), radius * (1 + dice.normal(0.03))),
    );
  const margin = [...half(1), ...half(-1).slice(1).reverse()];
  const outline = form.sharp ? polygon(margin) : smooth(margin);
  const veins = margin
    .filter(([x, y], i) => (form.sharp ? Math.hypot(x, y) > 30 : i % 2 === 0))
    .map(([x, y]) =>
      stroke(
        smooth(
          [
            [0, form.sharp ? 20 : y + 12],
            [x * 0.9, y * 0.9],
          ],
          false,
        ),
        css(vein),
        1,
        0.8,
      ),
    );
  const stalk = smooth(
    [
      [0, 20],
      [dice.normal(1.5), 38],
      [dice.normal(3), 48],
    ],
    false,
  );
  return {
    outline,
    svg:
      gradient('blade', 'down', [
        [0, css(blade, 7)],
        [1, css(blade, -6)],
      ]) +
      stroke(stalk, css(vein, -10), 2) +
      clipped(
        'leaf',
        outline,
        fill(outline, 'url(#blade)') +
          stroke(outline, css(rim), 9) +
          veins.join('') +
          stroke(smooth(points('0,-40 0.8,0 0,44'), false), css(vein), 1.7),
      ) +
      stroke(outline, css(blade, -18), 0.8),
  };
}
