/** The strokes every family of the sample is drawn with: paths, dots and colors as SVG text. */
import type { Dice } from './dice.ts';

export type Point = readonly [x: number, y: number];
/** Hue in degrees, saturation and lightness in percent. */
export type Color = readonly [hue: number, saturation: number, lightness: number];

/** A drawn subject in a box of about [-50, 50] around the origin: its silhouette's path data and itself. */
export interface Figure {
  outline: string;
  svg: string;
}

const short = (value: number) => String(Math.round(value * 100) / 100);

/** Pairs as SVG's `points` attribute writes them: `'0,0 10,5 …'`. */
export const points = (text: string): Point[] =>
  text.split(' ').map((pair): Point => {
    const [x, y] = pair.split(',');
    return [Number(x), Number(y)];
  });

/** Point at `angle` degrees (counterclockwise from the right, y upward on the page) and `radius` from `center`. */
export function polar(angle: number, radius: number, center: Point = [0, 0]): Point {
  const radians = (angle * Math.PI) / 180;
  return [center[0] + radius * Math.cos(radians), center[1] - radius * Math.sin(radians)];
}

export const mirror = (line: readonly Point[]): Point[] => line.map(([x, y]): Point => [-x, y]);

/** Straight lines through the points, closed. */
export const polygon = (line: readonly Point[]) =>
  `M${line.map(([x, y]) => `${short(x)} ${short(y)}`).join('L')}Z`;

/** Smooth curve through the points (Catmull-Rom), closed unless told otherwise. */
export function smooth(line: readonly Point[], closed = true): string {
  const count = line.length;
  const at = (i: number) => line[closed ? (i + count) % count : Math.max(0, Math.min(count - 1, i))];
  let path = `M${short(at(0)[0])} ${short(at(0)[1])}`;
  for (let i = 0; i < (closed ? count : count - 1); i++) {
    const [before, from, to, after] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    const numbers = [
      from[0] + (to[0] - before[0]) / 6,
      from[1] + (to[1] - before[1]) / 6,
      to[0] - (after[0] - from[0]) / 6,
      to[1] - (after[1] - from[1]) / 6,
      to[0],
      to[1],
    ];
    path += `C${numbers.map(short).join(' ')}`;
  }
  return closed ? `${path}Z` : path;
}

/** CSS text of a color; `lighter` is added to its lightness. */
export function css([hue, saturation, lightness]: Color, lighter = 0): string {
  const light = Math.max(2, Math.min(98, lightness + lighter));
  return `hsl(${Math.round((hue + 360) % 360)},${Math.round(saturation)}%,${Math.round(light)}%)`;
}

/** The color of one individual: a little off its species'. */
export const vary = ([hue, saturation, lightness]: Color, dice: Dice): Color => [
  hue + dice.normal(5),
  Math.max(0, Math.min(100, saturation + dice.normal(6))),
  Math.max(4, Math.min(96, lightness + dice.normal(4))),
];

const see = (kind: 'fill' | 'stroke', opacity: number) =>
  opacity < 1 ? ` ${kind}-opacity="${short(opacity)}"` : '';

export const fill = (path: string, color: string, opacity = 1) =>
  `<path d="${path}" fill="${color}"${see('fill', opacity)}/>`;

export const stroke = (path: string, color: string, width: number, opacity = 1) =>
  `<path d="${path}" fill="none" stroke="${color}" stroke-width="${short(width)}" stroke-linecap="round" stroke-linejoin="round"${see('stroke', opacity)}/>`;

export const dot = (center: Point, radius: number, color: string, opacity = 1) =>
  ellipse(center, [radius, radius], color, opacity);

export const ellipse = ([x, y]: Point, [rx, ry]: Point, color: string, opacity = 1) =>
  `<ellipse cx="${short(x)}" cy="${short(y)}" rx="${short(rx)}" ry="${short(ry)}" fill="${color}"${see('fill', opacity)}/>`;

/** `content` cut to the inside of `path`; `id` must be unique in the picture. */
export const clipped = (id: string, path: string, content: string) =>
  `<clipPath id="${id}"><path d="${path}"/></clipPath><g clip-path="url(#${id})">${content}</g>`;

/** A gradient's definition, to be named as `url(#id)`: from top to bottom, or out of a lit spot. */
export function gradient(id: string, kind: 'down' | 'lit', stops: readonly (readonly [number, string])[]) {
  const steps = stops.map(([offset, color]) => `<stop offset="${offset}" stop-color="${color}"/>`).join('');
  return kind === 'down'
    ? `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${steps}</linearGradient>`
    : `<radialGradient id="${id}" cx="0.4" cy="0.35" r="0.75">${steps}</radialGradient>`;
}

/** An eyespot: dark ring, colored iris, bright pupil. */
export const eyespot = ([x, y]: Point, radius: number, ring: string, iris: string, pupil: string) =>
  dot([x, y], radius, ring) +
  dot([x, y], radius * 0.72, iris) +
  dot([x, y], radius * 0.4, ring) +
  dot([x - radius * 0.12, y - radius * 0.12], radius * 0.16, pupil);
