/** Shells: a fan, a coil or a tall spire. No kin of any target category. */
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
  smooth,
  stroke,
  vary,
} from './draw-shapes.ts';

type Colors = { base: Color; mark: Color };

export interface ShellCoat extends Colors {
  /** Along the growth lines, or across them. */
  pattern: 'bands' | 'rays';
}

type ShellForm = (colors: Colors, pattern: ShellCoat['pattern'], dice: Dice) => Figure;

export const shellCoats = {
  rose: { base: [352, 52, 74], mark: [346, 58, 50], pattern: 'rays' },
  slate: { base: [212, 16, 52], mark: [44, 34, 86], pattern: 'bands' },
} satisfies Record<string, ShellCoat>;

export const shellForms = { scallop, moonsnail, turret } satisfies Record<string, ShellForm>;

/** One shell of the given form and coat. */
export function drawShell(form: ShellForm, coat: ShellCoat, dice: Dice): Figure {
  const [base, mark] = [coat.base, coat.mark].map((color) => vary(color, dice));
  const { outline, svg } = form({ base, mark }, coat.pattern, dice);
  const shine = gradient('shell', 'lit', [
    [0, css(base, 14)],
    [0.6, css(base)],
    [1, css(base, -16)],
  ]);
  return { outline, svg: shine + svg };
}

const inside = (id: string, outline: string, { base }: Colors, marks: string) =>
  clipped(id, outline, fill(outline, 'url(#shell)') + marks) + stroke(outline, css(base, -32), 1);

function scallop(colors: Colors, pattern: ShellCoat['pattern'], dice: Dice): Figure {
  const { base, mark } = colors;
  const hinge: Point = [0, 32];
  const rim = Array.from({ length: 23 }, (_, i) =>
    polar(18 + i * 6.55, (i % 2 ? 66 : 62) * (1 + dice.normal(0.008)), hinge),
  );
  const toward = (scale: number) =>
    rim.map(([x, y]): Point => [x * scale, hinge[1] + (y - hinge[1]) * scale]);
  const ribs = (from: number, every: number) => rim.filter((_, i) => i % every === from);
  const marks =
    pattern === 'rays'
      ? ribs(1, 4).map((end) => stroke(smooth([hinge, end], false), css(mark), 5))
      : [0.42, 0.66, 0.9].map((scale) => stroke(smooth(toward(scale), false), css(mark), 4.5));
  const lines = ribs(0, 2).map((end) => stroke(smooth([hinge, end], false), css(base, -24), 0.9, 0.8));
  const fan = smooth([[7, 36], ...rim, [-7, 36]]);
  const ears = smooth(points('-14,24 14,24 13,37 -13,37'));
  return {
    outline: fan + ears,
    svg: fill(ears, css(base, -10)) + inside('fan', fan, colors, marks.join('') + lines.join('')),
  };
}

function moonsnail(colors: Colors, pattern: ShellCoat['pattern'], dice: Dice): Figure {
  const { base, mark } = colors;
  const turns = 2.6;
  const decay = 1.05 + dice.normal(0.03);
  /** Point of the coil after `t` turns inward, drawn in toward the middle by `scale`. */
  const coil = (t: number, scale = 1): Point => polar(t * 360 - 60, 41 * 0.5 ** (t * decay) * scale, [3, 2]);
  const along = (scale: number) =>
    smooth(
      Array.from({ length: 48 }, (_, i) => coil((i / 48) * turns, scale)),
      false,
    );
  const outline = smooth([...Array.from({ length: 18 }, (_, i) => coil(i / 18)), coil(0, 0.45)]);
  const marks =
    pattern === 'rays'
      ? Array.from({ length: 29 }, (_, i) => i * 0.09).map((t) =>
          stroke(smooth([coil(t, 0.6), coil(t + 0.02)], false), css(mark), 2.6),
        )
      : [0.72, 0.9].map((scale) => stroke(along(scale), css(mark), 2.6));
  const suture = stroke(along(1), css(base, -34), 1.6) + stroke(along(0.93), css(base, 22), 1.2, 0.7);
  return { outline, svg: inside('coil', outline, colors, marks.join('') + suture) };
}

function turret(colors: Colors, pattern: ShellCoat['pattern'], dice: Dice): Figure {
  const { base, mark } = colors;
  const slim = 1 + dice.normal(0.05);
  const whorls = Array.from({ length: 7 }, (_, i) => {
    const [top, bottom] = [i, i + 1].map((n) => -38 + 70 * (n / 7) ** 1.25);
    return { top, end: bottom + 3, middle: (top + bottom + 3) / 2, wide: (2.5 + 2.5 * (i + 1)) * slim };
  });
  let [outline, svg] = ['', ''];
  for (const [i, { top, end, middle, wide }] of whorls.entries()) {
    const path = smooth([
      [-wide * 0.86, top],
      [0, top + 1.5],
      [wide * 0.86, top + 1],
      [wide, middle],
      [wide * 0.9, end],
      [0, end + 2.5],
      [-wide * 0.9, end],
      [-wide, middle],
    ]);
    const marks =
      pattern === 'bands'
        ? stroke(
            smooth(
              [
                [-30, middle],
                [0, middle + 2.5],
                [30, middle],
              ],
              false,
            ),
            css(mark),
            (end - top) * 0.34,
          )
        : [-20, -15, -10, -5, 0, 5, 10, 15, 20]
            .map((x) =>
              stroke(
                smooth(
                  [
                    [x, top - 2],
                    [x * 1.15, end + 3],
                  ],
                  false,
                ),
                css(mark),
                1.8,
              ),
            )
            .join('');
    outline += path;
    svg += clipped(`whorl${i}`, path, fill(path, 'url(#shell)') + marks) + stroke(path, css(base, -34), 0.9);
  }
  return { outline, svg };
}
