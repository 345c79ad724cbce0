/** Beetles seen from above: head, shield, six legs, and two wing cases that carry the marks. */
import type { Dice } from './dice.ts';
import { drawLegs, fronts } from './draw-beetle-limbs.ts';
import {
  type Color,
  clipped,
  css,
  dot,
  ellipse,
  type Figure,
  fill,
  gradient,
  mirror,
  type Point,
  points,
  polygon,
  smooth,
  stroke,
  vary,
} from './draw-shapes.ts';

export interface BeetleForm {
  /** Half width and half length of the wing cases. */
  width: number;
  length: number;
  /** How square their shoulders are, 0 (oval) to 1. */
  shoulders: number;
  /** Half width and length of the shield behind the head. */
  shield: Point;
  head: number;
  front: keyof typeof fronts;
  /** Length of the legs. */
  legs: number;
}

export interface BeetleCoat {
  case: Color;
  mark: Color;
  shield: Color;
  pattern: keyof typeof patterns;
  count: number;
  /** Metallic sheen, 0 to 1. */
  sheen: number;
}

export const beetleForms = {
  chafer: { width: 17, length: 19, shoulders: 0.35, shield: [14, 9], head: 7, front: 'fans', legs: 15 },
  stag: { width: 14, length: 19, shoulders: 0.6, shield: [13, 9], head: 9, front: 'mandibles', legs: 17 },
  longhorn: { width: 9.5, length: 24, shoulders: 0.8, shield: [7, 9], head: 5.5, front: 'feelers', legs: 17 },
  weevil: { width: 13, length: 19, shoulders: 0.2, shield: [8, 10], head: 5, front: 'snout', legs: 14 },
  rhino: { width: 16.5, length: 20, shoulders: 0.5, shield: [15, 12], head: 6, front: 'horn', legs: 13 },
} satisfies Record<string, BeetleForm>;

const black: Color = [24, 16, 11];

export const beetleCoats = {
  scarlet: { case: [4, 82, 46], mark: black, shield: black, pattern: 'spots', count: 4, sheen: 0.25 },
  sapphire: {
    case: [222, 72, 36],
    mark: [214, 60, 20],
    shield: [226, 64, 30],
    pattern: 'stripes',
    count: 4,
    sheen: 0.9,
  },
  hornet: { case: [48, 92, 53], mark: black, shield: black, pattern: 'bands', count: 4, sheen: 0.15 },
  jewel: {
    case: [146, 78, 33],
    mark: [46, 88, 54],
    shield: [160, 70, 30],
    pattern: 'seam',
    count: 1,
    sheen: 1,
  },
  harlequin: {
    case: [28, 92, 54],
    mark: black,
    shield: [26, 72, 36],
    pattern: 'checks',
    count: 4,
    sheen: 0.2,
  },
  ivory: { case: [46, 40, 82], mark: black, shield: [28, 26, 32], pattern: 'stripes', count: 2, sheen: 0.1 },
} satisfies Record<string, BeetleCoat>;

/** Wing cases to put marks on: half width and length, and the front edge's y. */
interface Cases {
  width: number;
  length: number;
  top: number;
  mark: string;
  count: number;
}

const rows = ({ top, length, count }: Cases) =>
  Array.from({ length: count }, (_, i) => top + (2 * length * (i + 0.6)) / (count + 0.2));
const both = (draw: (side: 1 | -1) => string) => draw(-1) + draw(1);

const patterns = {
  spots: (c: Cases) =>
    rows(c)
      .map((y, i) => both((side) => dot([side * c.width * (i % 2 ? 0.62 : 0.4), y], c.width * 0.22, c.mark)))
      .join(''),
  bands: (c: Cases) =>
    rows(c)
      .map((y) => points(`-30,${y + 1} -8,${y - 1.5} 0,${y + 1} 8,${y - 1.5} 30,${y + 1}`))
      .map((line) => stroke(smooth(line, false), c.mark, (c.length * 0.9) / c.count))
      .join(''),
  stripes: (c: Cases) =>
    Array.from({ length: c.count }, (_, i) => (c.width * (i + 0.7)) / c.count)
      .map((x) => points(`${x * 0.8},${c.top} ${x},${c.top + c.length} ${x * 0.45},${c.top + 2 * c.length}`))
      .flatMap((line) => [line, mirror(line)])
      .map((line) => stroke(smooth(line, false), c.mark, (c.width * 0.42) / c.count))
      .join(''),
  seam: (c: Cases) => stroke(`M0 ${c.top}V${c.top + 2 * c.length}`, c.mark, 5.4),
  checks: (c: Cases) => {
    const [wide, tall] = [c.width / 4, c.length / 4];
    return rows(c)
      .flatMap((y, i) =>
        [-0.75, -0.25, 0.25, 0.75].filter((_, j) => (i + j) % 2).map((x) => [x * c.width, y]),
      )
      .map(([x, y]) =>
        points(
          `${x - wide},${y - tall} ${x + wide},${y - tall} ${x + wide},${y + tall} ${x - wide},${y + tall}`,
        ),
      )
      .map((square) => fill(polygon(square), c.mark))
      .join('');
  },
};

/** One beetle of the given form and coat, head upward. */
export function drawBeetle(form: BeetleForm, coat: BeetleCoat, dice: Dice): Figure {
  const [base, mark, shield] = [coat.case, coat.mark, coat.shield].map((color) => vary(color, dice));
  const width = form.width * (1 + dice.normal(0.05));
  const length = form.length * (1 + dice.normal(0.04));
  const top = -8;
  const end = top + 2 * length;
  const square = 0.62 + 0.36 * form.shoulders;
  const around = (right: readonly Point[]) => smooth([...right, ...mirror(right.slice(1, -1)).reverse()]);
  const cases = around([
    [0, top],
    [width * square, top + 1.5],
    [width, top + length * 0.65],
    [width * 0.98, top + length * 1.25],
    [width * 0.62, end - length * 0.22],
    [0, end],
  ]);
  const [wide, long] = form.shield;
  const neck = top - long;
  const plate = around([
    [0, neck],
    [wide * 0.72, neck + 0.8],
    [wide, neck + long * 0.6],
    [wide * 0.9, top + 0.5],
    [0, top + 1],
  ]);
  const crown = neck - form.head;
  const head = around([
    [0, crown],
    [form.head * 0.7, crown + 1.5],
    [form.head * 0.85, neck],
    [0, neck + 2],
  ]);
  const dark: Color = [shield[0], Math.min(40, shield[1]), 13];
  const body: Cases = { width, length, top, mark: css(mark), count: coat.count };
  const front = { crown, head: form.head, tilt: dice.normal(1.6), color: css(dark, 3) };
  const gloss = 10 + 26 * coat.sheen;
  const [hue, saturation, lightness] = base;
  return {
    outline: cases + plate + head,
    svg:
      gradient('case', 'lit', [
        [0, css([hue + 25 * coat.sheen, saturation, lightness], gloss)],
        [0.5, css(base)],
        [1, css([hue - 20 * coat.sheen, saturation, lightness], -12)],
      ]) +
      gradient('shield', 'lit', [
        [0, css(shield, gloss * 0.8)],
        [0.6, css(shield)],
        [1, css(shield, -9)],
      ]) +
      drawLegs(body, form.legs, css(dark), dice) +
      fronts[form.front](front) +
      fill(head, css(dark, 5)) +
      both((side) => dot([side * form.head * 0.62, crown + 3.4], 1.5, '#0b0b0b')) +
      clipped(
        'cases',
        cases,
        fill(cases, 'url(#case)') +
          patterns[coat.pattern](body) +
          ellipse(
            [-width * 0.42, top + length * 0.6],
            [width * 0.16 + 1, length * 0.34],
            'white',
            0.22 + 0.25 * coat.sheen,
          ),
      ) +
      stroke(`M0 ${top + 1}V${end - 1}`, css(dark), 0.9) +
      stroke(cases, css(dark), 1) +
      fill(plate, 'url(#shield)') +
      stroke(plate, css(dark), 0.9),
  };
}
