import { splits } from '../../src-shared/names.ts';
import { splitTitle } from '../format.ts';
import type { MapData } from './map-data.ts';

export const colorings = {
  class: 'class',
  split: 'split',
  predicted: 'prediction',
  finding: 'finding',
} as const;
export type Coloring = keyof typeof colorings;

/** What is not selected, on light and on dark. */
const gray = [150, 150, 158] as const;

/** What colors mean that are not those of the classes. */
export function legendOf(by: Coloring): { title: string; color: readonly number[] }[] {
  if (by === 'split') return splits.map((split, i) => ({ title: splitTitle(split), color: colorOfValue(i) }));
  if (by === 'finding')
    return [
      { title: 'With a finding', color: colorOfValue(0) },
      { title: 'Without', color: gray },
    ];
  return by === 'predicted' ? [{ title: 'Not predicted', color: gray }] : [];
}

/** Colors of points, [points, 3]; those outside of the selection are gray. */
export function pointColors(data: MapData, by: Coloring, selected: ReadonlySet<number> | null): Uint8Array {
  const colors = new Uint8Array(3 * data.ids.length);
  const numberOf = (i: number): number => {
    if (by === 'class') return data.labels[i];
    if (by === 'predicted') return data.predicted[i];
    if (by === 'split') return splits.indexOf(data.splits[i]);
    return data.flagged[i] ? 0 : -1;
  };
  for (let i = 0; i < data.ids.length; i++) {
    const value = numberOf(i);
    const [red, green, blue] = value < 0 || (selected && !selected.has(i)) ? gray : colorOfValue(value);
    colors[3 * i] = red;
    colors[3 * i + 1] = green;
    colors[3 * i + 2] = blue;
  }
  return colors;
}

const known: [number, number, number][] = [];

/** Colors of which neighbors in number are far apart: hues by the golden angle, two lightnesses in turn. */
export function colorOfValue(value: number): [number, number, number] {
  known[value] ??= rgb((value * 137.508 + 230) % 360, 0.68, value % 2 === 0 ? 0.5 : 0.62);
  return known[value];
}

/** From hue in degrees, saturation and lightness. */
function rgb(hue: number, saturation: number, lightness: number): [number, number, number] {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
