/** Flowers seen from above: rings of petals around a center. No kin of any target category. */
import type { Dice } from './dice.ts';
import { type Color, css, dot, type Figure, fill, polar, smooth, stroke, vary } from './draw-shapes.ts';

export interface FlowerForm {
  petals: number;
  /** Half width of a petal in degrees of the circle, and how pointed it is (0 round, 1 pointed). */
  spread: number;
  point: number;
  layers: number;
  center: number;
}

export interface FlowerCoat {
  petal: Color;
  /** Color of the petals' inner half. */
  throat: Color;
  center: Color;
}

export const flowerForms = {
  aster: { petals: 18, spread: 11, point: 0.3, layers: 2, center: 11 },
  lily: { petals: 6, spread: 26, point: 1, layers: 1, center: 6 },
  poppy: { petals: 4, spread: 56, point: 0, layers: 1, center: 9 },
} satisfies Record<string, FlowerForm>;

export const flowerCoats = {
  snow: { petal: [60, 16, 95], throat: [80, 34, 84], center: [48, 92, 54] },
  crimson: { petal: [358, 82, 46], throat: [350, 60, 16], center: [80, 24, 22] },
} satisfies Record<string, FlowerCoat>;

/** One flower of the given form and coat. */
export function drawFlower(form: FlowerForm, coat: FlowerCoat, dice: Dice): Figure {
  const [petal, throat, center] = [coat.petal, coat.throat, coat.center].map((color) => vary(color, dice));
  const side = form.spread * (1 - form.point * 0.25);
  const tip = side * 0.75 * (1 - form.point * 0.6);
  let [outline, svg] = ['', ''];
  for (let layer = 0; layer < form.layers; layer++)
    for (let i = 0; i < form.petals; i++) {
      const angle = ((i + layer / 2) * 360) / form.petals + dice.normal(2.5);
      const reach = (layer ? 34 : 42) * (1 + dice.normal(0.05));
      const blade = smooth([
        polar(angle, 3),
        polar(angle - side * 0.8, reach * 0.5),
        polar(angle - tip, reach * 0.86),
        polar(angle, reach * (0.97 + form.point * 0.12)),
        polar(angle + tip, reach * 0.86),
        polar(angle + side * 0.8, reach * 0.5),
      ]);
      const inner = smooth([
        polar(angle, 2),
        polar(angle - side * 0.5, reach * 0.4),
        polar(angle, reach * 0.62),
        polar(angle + side * 0.5, reach * 0.4),
      ]);
      outline += blade;
      svg += fill(blade, css(petal, dice.normal(3) - layer * 3)) + stroke(blade, css(petal, -18), 0.8, 0.6);
      svg += fill(inner, css(throat), 0.75);
    }
  svg += dot([0, 0], form.center, css(center, -8)) + dot([-0.6, -0.6], form.center * 0.8, css(center));
  // Anthers in the golden angle's spiral, as sunflowers set their seeds.
  for (let i = 0; i < 16; i++)
    svg += dot(polar(i * 137.5, form.center * Math.sqrt(i / 16)), 1, css(center, i % 2 ? 16 : -16));
  return { outline, svg };
}
