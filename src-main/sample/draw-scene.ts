/** What lies behind and before a subject: a habitat, its shadow, blades and bubbles in the way. */
import type { Dice } from './dice.ts';
import {
  type Color,
  css,
  dot,
  type Figure,
  fill,
  gradient,
  type Point,
  polar,
  smooth,
  stroke,
  vary,
} from './draw-shapes.ts';

export type Habitat = keyof typeof grounds;

interface Ground {
  top: Color;
  bottom: Color;
  /** Colors of what lies about. */
  clutter: readonly Color[];
  /** How many of each lie behind the subject. */
  blades: number;
  grooves: number;
  pebbles: number;
  specks: number;
  /** Under water: shafts of light, and bubbles in front. */
  wet: boolean;
}

const bare = { blades: 0, grooves: 0, pebbles: 0, specks: 0, wet: false };

const grounds = {
  meadow: {
    ...bare,
    top: [96, 36, 42],
    bottom: [110, 38, 26],
    clutter: [
      [86, 46, 46],
      [120, 38, 28],
      [70, 48, 56],
      [104, 44, 36],
      [50, 60, 62],
    ],
    blades: 12,
  },
  bark: {
    ...bare,
    top: [28, 24, 44],
    bottom: [22, 26, 28],
    clutter: [
      [26, 24, 34],
      [30, 26, 52],
      [20, 22, 22],
      [80, 24, 40],
    ],
    grooves: 12,
  },
  paper: {
    ...bare,
    top: [42, 38, 88],
    bottom: [38, 34, 78],
    clutter: [
      [38, 34, 72],
      [44, 34, 92],
      [30, 28, 62],
    ],
    specks: 10,
  },
  sand: {
    ...bare,
    top: [40, 42, 74],
    bottom: [34, 36, 60],
    clutter: [
      [30, 30, 52],
      [44, 40, 82],
      [20, 14, 46],
      [210, 10, 60],
    ],
    pebbles: 9,
  },
  reef: {
    ...bare,
    top: [190, 58, 48],
    bottom: [206, 58, 26],
    clutter: [
      [340, 48, 50],
      [28, 56, 52],
      [160, 36, 36],
      [280, 30, 46],
      [196, 50, 60],
    ],
    blades: 9,
    wet: true,
  },
  deep: {
    ...bare,
    top: [210, 60, 34],
    bottom: [226, 60, 14],
    clutter: [
      [200, 50, 40],
      [190, 50, 52],
      [220, 46, 24],
    ],
    wet: true,
  },
  shallows: {
    ...bare,
    top: [184, 44, 68],
    bottom: [44, 40, 68],
    clutter: [
      [184, 40, 78],
      [40, 34, 58],
      [130, 28, 40],
      [190, 46, 54],
    ],
    pebbles: 9,
    wet: true,
  },
} satisfies Record<string, Ground>;

const times = (count: number, draw: () => string) => Array.from({ length: Math.floor(count) }, draw).join('');
const anywhere = (dice: Dice): Point => [dice.range(-5, 105), dice.range(-5, 105)];

/** A blade of grass or weed that grows in from the lower border. */
function drawBlade(dice: Dice, color: string, width: number, opacity: number): string {
  const foot = dice.range(-5, 105);
  const lean = dice.normal(16);
  const tall = dice.range(30, 105);
  const line: Point[] = [
    [foot, 106],
    [foot + lean * 0.3, 106 - tall * 0.5],
    [foot + lean, 106 - tall],
  ];
  return stroke(smooth(line, false), color, width, opacity);
}

/** A line across the picture, from top to bottom or from left to right. */
function drawCrossing(
  dice: Dice,
  color: string,
  width: number,
  [opacity, upright]: [number, boolean],
): string {
  const start = dice.range(-5, 105);
  const line = [-3, 33, 67, 103].map((along, i): Point => {
    const off = start + dice.normal(4 + i * (upright ? 0 : 4));
    return upright ? [off, along] : [along, off];
  });
  return stroke(smooth(line, false), color, width, opacity);
}

function drawBlot(dice: Dice, color: string, size: number, opacity: number): string {
  const center = anywhere(dice);
  const rim = Array.from({ length: 6 }, (_, i) => polar(i * 60, size * dice.range(0.6, 1.2), center));
  return fill(smooth(rim), color, opacity);
}

function drawBackdrop(ground: Ground, dice: Dice): string {
  // One cast of hue for the whole picture: a meadow is bluish on one day and yellowish on another.
  const cast = dice.normal(7);
  const paint = (color: Color) => {
    const [hue, saturation, lightness] = vary(color, dice);
    return css([hue + cast, saturation, lightness]);
  };
  const any = () => paint(dice.pick(ground.clutter));
  const shaft = () => {
    const [x, width] = [dice.range(-10, 100), dice.range(6, 16)].map(Math.round);
    return fill(`M${x} -2h${width}l-18 106h-14Z`, 'white', 0.08);
  };
  return (
    gradient('ground', 'down', [
      [0, paint(ground.top)],
      [1, paint(ground.bottom)],
    ]) +
    fill('M-1 -1H101V101H-1Z', 'url(#ground)') +
    times(7, () => drawBlot(dice, any(), dice.range(8, 20), 0.35)) +
    times(ground.blades, () => drawBlade(dice, any(), dice.range(1.5, 5), 0.7)) +
    times(ground.grooves, () => drawCrossing(dice, any(), dice.range(0.8, 3), [0.7, true])) +
    times(ground.pebbles, () => drawBlot(dice, any(), dice.range(1.5, 5.5), 0.8)) +
    times(ground.specks, () => dot(anywhere(dice), dice.range(0.4, 1.5), any(), 0.6)) +
    times(ground.wet ? 3 : 0, shaft)
  );
}

function drawForeground(ground: Ground, dice: Dice): string {
  const any = () => css(vary(dice.pick(ground.clutter), dice), -6);
  const bubble = () => {
    const [x, y] = anywhere(dice);
    const radius = dice.range(1, 3.2);
    return (
      dot([x, y], radius, 'white', 0.3) +
      dot([x - radius * 0.3, y - radius * 0.3], radius * 0.35, 'white', 0.7)
    );
  };
  return (
    times(ground.wet ? dice.range(0, 5) : 0, bubble) +
    times(ground.blades ? dice.range(0, 3.6) : 0, () => drawBlade(dice, any(), dice.range(1.4, 4), 0.95)) +
    times(!ground.blades && dice.chance(0.35) ? 1 : 0, () =>
      drawCrossing(dice, any(), dice.range(1, 3), [1, false]),
    )
  );
}

/** SVG of one whole picture, `side` pixels square; the subject turns up to `turn` degrees from upright. */
export function composeScene(
  subject: { figure: Figure; turn: number; habitat: Habitat },
  dice: Dice,
  side: number,
): string {
  const { figure, turn, habitat } = subject;
  const ground = grounds[habitat];
  const [x, y] = [50 + dice.normal(5), 50 + dice.normal(5)];
  const size = dice.range(0.66, 1.02);
  const wide = size * dice.range(0.86, 1.06) * (dice.chance(0.5) ? -1 : 1);
  const pose = `rotate(${(dice.range(-1, 1) * turn).toFixed(1)}) skewX(${dice.normal(5).toFixed(1)}) scale(${wide.toFixed(3)},${size.toFixed(3)})`;
  const place = (dx: number, dy: number, content: string) =>
    `<g transform="translate(${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}) ${pose}">${content}</g>`;
  const height = dice.range(1, 5);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 100 100">` +
    drawBackdrop(ground, dice) +
    place(height * 0.9, height * 1.2, fill(figure.outline, '#0a0e14', 0.3)) +
    place(0, 0, figure.svg) +
    drawForeground(ground, dice) +
    '</svg>'
  );
}
