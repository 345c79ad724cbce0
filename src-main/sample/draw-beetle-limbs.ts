/** A beetle's legs, and what it carries before its head. */
import type { Dice } from './dice.ts';
import { fill, mirror, type Point, points, smooth, stroke } from './draw-shapes.ts';

/** What a beetle carries before its head, whose front is at y = `crown` and half width `head`; `tilt` varies it. */
interface Head {
  crown: number;
  head: number;
  tilt: number;
  color: string;
}

const whisker = ({ crown, head, color }: Head, reach: string, width: number) => {
  const line = [[head * 0.5, crown + 2] as const, ...points(reach).map(([x, y]): Point => [x, crown + y])];
  return stroke(smooth(line, false), color, width) + stroke(smooth(mirror(line), false), color, width);
};

/** What tells the forms apart at first sight. */
export const fronts = {
  mandibles: (h: Head) => whisker(h, `10,-6 ${7 + h.tilt},-14 2.5,-15`, 3) + whisker(h, `8.6,-8 5,-8.5`, 2),
  feelers: (h: Head) => whisker(h, `12,${h.tilt - 8} 24,-3 32,${14 + h.tilt}`, 1.4),
  fans: (h: Head) =>
    [-3, 0, 3].map((spread) => whisker(h, `11,${h.tilt - 5} ${15 + spread / 2},${spread - 8}`, 1.6)).join(''),
  horn: (h: Head) =>
    whisker(h, `8,${h.tilt - 1} 12,-5`, 1.3) +
    fill(
      smooth(
        points(`-3,4 -1.6,-10 ${h.tilt / 2 - 3},-17 ${h.tilt / 2 + 3},-17 1.6,-10 3,4`).map(
          ([x, y]): Point => [x, h.crown + y],
        ),
      ),
      h.color,
    ),
  snout: (h: Head) =>
    whisker(h, `8,${h.tilt - 1} 12,-5`, 1.3) +
    stroke(
      smooth(points(`0,${h.crown + 2} ${h.tilt * 0.4},${h.crown - 6} ${h.tilt},${h.crown - 12}`), false),
      h.color,
      3.4,
    ),
};

/** The wing cases that legs come out from under: half width, half length, front edge. */
interface Trunk {
  width: number;
  length: number;
  top: number;
}

const both = (draw: (side: 1 | -1) => string) => draw(-1) + draw(1);

/** Three pairs of legs, each bent at the knee and set down somewhere a little different. */
export function drawLegs({ width, length, top }: Trunk, reach: number, color: string, dice: Dice): string {
  const hips = [
    { y: top - 3, lift: -0.75 },
    { y: top + length * 0.45, lift: 0.12 },
    { y: top + length * 0.95, lift: 0.8 },
  ];
  return hips
    .map(({ y, lift }) =>
      both((side) => {
        const stretch = reach * dice.range(0.85, 1.15);
        const swing = lift + dice.normal(0.14);
        const knee: Point = [side * (width * 0.75 + stretch * 0.62), y + stretch * swing * 0.6];
        const foot: Point = [side * (width * 0.8 + stretch * 0.8), y + stretch * (swing * 1.35 + 0.25)];
        return stroke(smooth([[side * width * 0.6, y], knee, foot], false), color, 2.1);
      }),
    )
    .join('');
}
