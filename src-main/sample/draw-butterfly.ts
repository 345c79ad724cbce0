/** Butterflies and moths seen from above: wings as curves around their root, marks cut to them. */
import type { Dice } from './dice.ts';
import {
  type Color,
  clipped,
  css,
  dot,
  eyespot,
  type Figure,
  fill,
  mirror,
  type Point,
  points,
  polar,
  smooth,
  stroke,
  vary,
} from './draw-shapes.ts';

export interface ButterflyForm {
  /** Margins of the wings around their roots: angle in degrees, radius. */
  fore: readonly Point[];
  hind: readonly Point[];
  /** Width of the body. */
  body: number;
}

export interface ButterflyCoat {
  base: Color;
  mark: Color;
  margin: Color;
  /** Width of the dark margin. */
  edge: number;
  pattern: keyof typeof patterns;
  /** Pale dots in the margin. */
  dotted: boolean;
}

export const butterflyForms = {
  swallowtail: {
    fore: points('80,10 64,40 49,50 34,44 14,33 -10,24 -40,9'),
    hind: points('22,10 4,29 -16,34 -38,36 -53,40 -60,57 -65,58 -68,40 -82,30 -100,10'),
    body: 4.5,
  },
  ringlet: {
    fore: points('84,10 66,35 46,40 26,38 6,31 -16,18'),
    hind: points('24,12 6,30 -18,36 -42,37 -68,33 -92,13'),
    body: 4,
  },
  skipper: {
    fore: points('88,8 72,38 61,46 47,36 26,23 0,12'),
    hind: points('12,9 -8,26 -34,30 -60,28 -88,11'),
    body: 8,
  },
  hawkmoth: {
    fore: points('64,8 41,40 28,54 19,50 8,33 -14,16'),
    hind: points('2,9 -14,26 -34,28 -60,20 -88,8'),
    body: 9,
  },
  emperor: {
    fore: points('78,12 60,42 45,51 37,47 24,33 5,35 -15,22'),
    hind: points('22,12 6,33 -4,30 -16,38 -27,34 -40,42 -51,37 -64,42 -74,34 -92,12'),
    body: 5.5,
  },
} satisfies Record<string, ButterflyForm>;

const ink: Color = [24, 32, 11];

export const butterflyCoats = {
  amber: { base: [28, 88, 52], mark: ink, margin: ink, edge: 3.4, pattern: 'veins', dotted: true },
  tiger: { base: [49, 90, 60], mark: ink, margin: ink, edge: 2.6, pattern: 'bars', dotted: false },
  royal: {
    base: [272, 48, 40],
    mark: [300, 55, 78],
    margin: [268, 45, 14],
    edge: 3,
    pattern: 'band',
    dotted: true,
  },
  peacock: {
    base: [10, 62, 38],
    mark: [214, 80, 56],
    margin: [20, 30, 12],
    edge: 2,
    pattern: 'eyespots',
    dotted: false,
  },
  moss: {
    base: [98, 38, 36],
    mark: [74, 58, 76],
    margin: [110, 40, 16],
    edge: 2,
    pattern: 'spots',
    dotted: false,
  },
  dusk: { base: [24, 28, 20], mark: [190, 62, 70], margin: ink, edge: 2.4, pattern: 'band', dotted: false },
} satisfies Record<string, ButterflyCoat>;

/** One wing to put marks on: `line(scale)` is its margin drawn in toward the root. */
interface Wing {
  root: Point;
  line(scale: number): Point[];
  mark: string;
  margin: string;
}

const pale = css([50, 60, 94]);

const patterns = {
  veins: ({ root, line, mark }: Wing) =>
    line(1)
      .map((tip) => stroke(smooth([root, tip], false), mark, 1.5))
      .join(''),
  band: ({ line, mark }: Wing) => stroke(smooth(line(0.62), false), mark, 6.5),
  bars: ({ line, mark }: Wing) =>
    [0.3, 0.5, 0.7].map((scale) => stroke(smooth(line(scale), false), mark, 3)).join(''),
  spots: ({ line, mark }: Wing) =>
    [0.42, 0.7]
      .flatMap((scale) => line(scale).slice(1, -1))
      .map((spot) => dot(spot, 2.6, mark))
      .join(''),
  eyespots: ({ line, mark, margin }: Wing) => {
    const across = line(0.66);
    return eyespot(across[Math.floor(across.length * 0.45)], 6.2, margin, mark, pale);
  },
};

/** One butterfly of the given form and coat, head upward. */
export function drawButterfly(form: ButterflyForm, coat: ButterflyCoat, dice: Dice): Figure {
  const [base, mark, margin] = [coat.base, coat.mark, coat.margin].map((color) => vary(color, dice));
  // The wings are held a little differently each time: swept up or down, more or less open.
  const sweep = dice.normal(4);
  const open = dice.range(0.82, 1.04);
  const outlines: Point[][] = [];
  let half = '';
  for (const [id, root, shape] of [
    ['hind', [1, 2], form.hind],
    ['fore', [1, -6], form.fore],
  ] as const) {
    const edge = shape.map(([angle, radius]) => [angle + sweep, radius * (1 + dice.normal(0.018))] as const);
    const line = (scale: number) =>
      edge.map(([angle, radius]): Point => {
        const [x, y] = polar(angle, radius * scale, root);
        return [x * open, y];
      });
    const outline = [root, ...line(1)];
    const path = smooth(outline);
    const marks = patterns[coat.pattern]({ root, line, mark: css(mark), margin: css(margin) });
    const dots = line(0.92).slice(1, -1);
    outlines.push(outline);
    half += clipped(
      id,
      path,
      fill(path, css(base)) +
        marks +
        stroke(path, css(margin), coat.edge * 2) +
        (coat.dotted ? dots.map((spot) => dot(spot, 1.3, pale)).join('') : '') +
        dot(root, 9, css(margin), 0.35),
    );
  }
  const width = form.body;
  const flank = points(`0,-17 ${width * 0.55},-11 ${width * 0.5},0 ${width * 0.38},14 0,24`);
  const body = smooth([...flank, ...mirror(flank.slice(1, -1)).reverse()]);
  const dark: Color = [margin[0], margin[1] * 0.6, Math.min(margin[2], 22)];
  half +=
    stroke(smooth(points('0.5,-16 4,-24 10,-30'), false), css(dark), 0.8) + dot([10, -30], 1.1, css(dark));
  return {
    outline: outlines.flatMap((outline) => [smooth(outline), smooth(mirror(outline))]).join('') + body,
    svg:
      `${half}<g transform="scale(-1,1)">${half}</g>` +
      fill(body, css(dark)) +
      stroke(smooth(points('-0.6,-13 -0.7,2 -0.3,16'), false), css(dark, 22), 1.1, 0.7),
  };
}
