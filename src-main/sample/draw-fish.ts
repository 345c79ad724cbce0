/** Fish seen from the side, heading left: a body between two curves, fins behind it, marks cut to it. */
import type { Dice } from './dice.ts';
import {
  type Color,
  clipped,
  css,
  dot,
  ellipse,
  type Figure,
  fill,
  gradient,
  type Point,
  points,
  smooth,
  stroke,
  vary,
} from './draw-shapes.ts';

export interface FishForm {
  /** Half height of the body at its highest, and where along [-36, 24] that is. */
  height: number;
  peak: number;
  /** Half height where the tail begins. */
  stalk: number;
  tail: readonly Point[];
  /** Fins from head to tail: x, height above the back; x, depth below the belly. */
  back: readonly Point[];
  belly: readonly Point[];
}

export interface FishCoat {
  back: Color;
  belly: Color;
  mark: Color;
  fin: Color;
  pattern: keyof typeof patterns;
  /** How many bars or stripes. */
  count: number;
}

export const fishForms = {
  angelfish: {
    height: 22,
    peak: -6,
    stalk: 5,
    tail: points('22,-4 34,-12 42,-13 41,0 42,13 34,12 22,4'),
    back: points('-12,0 -2,8 10,24 20,30 16,8 20,0'),
    belly: points('-12,0 -2,8 10,24 20,30 16,8 20,0'),
  },
  wrasse: {
    height: 11,
    peak: -8,
    stalk: 5,
    tail: points('22,-4 32,-9 40,-7 43,0 40,7 32,9 22,4'),
    back: points('-18,0 -12,5 0,6 14,6 20,4 21,0'),
    belly: points('-2,0 2,5 14,5 19,3 20,0'),
  },
  tang: {
    height: 20,
    peak: -4,
    stalk: 3,
    tail: points('22,-2 30,-12 42,-24 38,-8 35,0 38,8 42,24 30,12 22,2'),
    back: points('-22,0 -14,6 0,7 14,8 21,5 21,0'),
    belly: points('-8,0 0,6 14,7 20,4 21,0'),
  },
  goby: {
    height: 9,
    peak: -20,
    stalk: 4,
    tail: points('22,-4 32,-8 42,-3 46,0 42,3 32,8 22,4'),
    back: points('-18,0 -14,16 -8,12 -6,1 0,8 16,8 20,0'),
    belly: points('-18,0 -14,9 -10,0 2,6 15,6 19,0'),
  },
  jack: {
    height: 14,
    peak: -10,
    stalk: 2,
    tail: points('22,-2 34,-15 44,-19 36,-4 34,0 36,4 44,19 34,15 22,2'),
    back: points('-8,0 -2,12 2,5 14,3 20,0'),
    belly: points('-2,0 4,11 7,5 15,3 20,0'),
  },
} satisfies Record<string, FishForm>;

const black: Color = [220, 28, 16];
const white: Color = [40, 30, 95];

export const fishCoats = {
  coral: {
    back: [18, 90, 52],
    belly: [28, 90, 60],
    mark: white,
    fin: [20, 90, 50],
    pattern: 'bars',
    count: 3,
  },
  zebra: { back: [210, 14, 82], belly: white, mark: black, fin: [215, 18, 62], pattern: 'bars', count: 6 },
  cobalt: {
    back: [222, 80, 46],
    belly: [214, 72, 58],
    mark: [48, 94, 56],
    fin: [224, 72, 40],
    pattern: 'tail',
    count: 0,
  },
  ruby: {
    back: [352, 76, 42],
    belly: [2, 68, 54],
    mark: [20, 60, 92],
    fin: [350, 72, 38],
    pattern: 'spots',
    count: 0,
  },
  fern: {
    back: [138, 42, 34],
    belly: [92, 40, 62],
    mark: [62, 68, 70],
    fin: [130, 36, 38],
    pattern: 'stripes',
    count: 4,
  },
  lattice: {
    back: [44, 52, 66],
    belly: [46, 48, 84],
    mark: [24, 54, 30],
    fin: [40, 52, 56],
    pattern: 'net',
    count: 0,
  },
} satisfies Record<string, FishCoat>;

/** A body to put marks on: `level(share)` runs along it, -1 at the back and 1 at the belly. */
interface Side {
  level(share: number): Point[];
  height: number;
  mark: string;
  count: number;
}

const patterns = {
  bars: ({ count, mark }: Side, dice: Dice) =>
    Array.from({ length: count }, (_, i) => -24 + (46 * (i + 0.5)) / count + dice.normal(0.7))
      .map((x) => stroke(smooth(points(`${x},-30 ${x + 1.6},0 ${x},30`), false), mark, 26 / count))
      .join(''),
  stripes: ({ level, height, count, mark }: Side) =>
    Array.from({ length: count }, (_, i) => 1.7 * ((i + 0.5) / count - 0.5))
      .map((share) => stroke(smooth(level(share), false), mark, (height * 0.85) / count))
      .join(''),
  spots: ({ height, mark }: Side, dice: Dice) =>
    Array.from({ length: 30 }, () => [dice.range(-28, 24), dice.range(-1, 1) * height] as const)
      .map((at) => dot(at, dice.range(1.2, 2.1), mark))
      .join(''),
  net: ({ mark }: Side) =>
    Array.from({ length: 11 }, (_, i) => i * 8 - 34)
      .map((x) => stroke(`M${x} -30L${x - 22} 30M${x - 22} -30L${x} 30`, mark, 1.1))
      .join(''),
  tail: ({ mark }: Side) => fill('M14 -30L50 -30L50 30L8 30Z', mark),
};

/** One fish of the given form and coat. */
export function drawFish(form: FishForm, coat: FishCoat, dice: Dice): Figure {
  const [back, belly, mark, fin] = [coat.back, coat.belly, coat.mark, coat.fin].map((c) => vary(c, dice));
  const height = form.height * (1 + dice.normal(0.05));
  const bend = dice.normal(2.2);
  const curve = ([x, y]: Point): Point => [x, y + bend * ((x + 6) / 26) ** 2];
  // Half height along x: an ellipse up to the peak, then a cosine's fall to the stalk of the tail.
  const half = (x: number) => {
    if (x <= form.peak) return height * Math.sqrt(Math.max(0, 1 - ((x - form.peak) / (36 + form.peak)) ** 2));
    const fall = Math.min(1, (x - form.peak) / (24 - form.peak));
    return form.stalk + (height - form.stalk) * (0.5 + 0.5 * Math.cos(Math.PI * fall));
  };
  const stations = [-36, -34, -30, -24, -16, -8, 0, 8, 16, 24];
  const level = (share: number) => stations.map((x) => curve([x, share * half(x)]));
  const body = smooth([...level(-1), ...level(0.94).slice(1).reverse()]);
  const finAlong = (shape: readonly Point[], side: 1 | -1) => {
    const [first, last] = [shape[0][0] + 2, shape[shape.length - 1][0] - 2];
    const rim = shape.map(([x, rise]): Point => [x, side * (half(x) - 1 + rise)]);
    return smooth(
      [...rim, [last, side * half(last) * 0.4] as const, [first, side * half(first) * 0.4] as const].map(
        curve,
      ),
    );
  };
  const tail = smooth(form.tail.map(curve));
  const fins = [finAlong(form.back, -1), finAlong(form.belly, 1)];
  const marks = patterns[coat.pattern]({ level, height, mark: css(mark), count: coat.count }, dice);
  const drawFin = (path: string, color: Color) =>
    fill(path, css(color)) + stroke(path, css(color, -18), 0.8, 0.7);
  const gill = half(-21) * 0.6;
  const eye: Point = [-28, -Math.min(4, half(-28) * 0.3)];
  return {
    outline: body + tail + fins.join(''),
    svg:
      gradient('flank', 'down', [
        [0, css(back)],
        [0.55, css(back, 6)],
        [1, css(belly)],
      ]) +
      drawFin(tail, coat.pattern === 'tail' ? mark : fin) +
      fins.map((path) => drawFin(path, fin)).join('') +
      clipped(
        'body',
        body,
        fill(body, 'url(#flank)') + marks + ellipse([-8, -height * 0.45], [22, height * 0.22], 'white', 0.22),
      ) +
      stroke(body, css(back, -20), 0.9, 0.6) +
      stroke(smooth(points(`-21,${-gill} -18.5,0 -21,${gill}`), false), css(back, -22), 1, 0.6) +
      fill(smooth(points('-16,1 -10,-3 -4,2 -6,7 -11,6')), css(fin, 4), 0.9) +
      dot(eye, 2.7, css([48, 40, 92])) +
      dot(eye, 1.6, '#111'),
  };
}
