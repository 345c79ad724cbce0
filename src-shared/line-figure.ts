/**
 * Lines over a scale as one piece of SVG, the same on screen and in a report: told apart by the shape of their markers, not by color
 * alone. Colors are the custom properties `--series-1` to `--series-6`, `--text-dim` and `--line` of the page around it.
 */
import { escapeMarkup } from './markup.ts';

export interface FigureLine {
  label: string;
  /** A line to beat is dashed. */
  isBaseline?: boolean;
  /** In ascending order of x; `low` and `high` end its interval. */
  points: readonly { x: number; y: number; low?: number; high?: number }[];
}

export interface Figure {
  /** What a screen reader says of it. */
  title: string;
  xTitle: string;
  yTitle: string;
  lines: readonly FigureLine[];
  /** Where x has a tick; chosen where it is left out. */
  xTicks?: readonly number[];
  showX: (value: number) => string;
  showY: (value: number) => string;
}

const size = { width: 760, height: 380, left: 58, right: 210, top: 14, bottom: 46 };
const legendRow = 20;

/** As many shapes as colors + 1: a color comes back with another shape. */
const shapes: ((x: number, y: number) => string)[] = [
  (x, y) => `<circle cx="${x}" cy="${y}" r="4.2"/>`,
  (x, y) => `<rect x="${x - 3.8}" y="${y - 3.8}" width="7.6" height="7.6"/>`,
  (x, y) => polygon(x, y, [0, -5, 4.8, 3.8, -4.8, 3.8]),
  (x, y) => polygon(x, y, [0, -5.4, 5, 0, 0, 5.4, -5, 0]),
  (x, y) => polygon(x, y, [0, 5, 4.8, -3.8, -4.8, -3.8]),
  (x, y) =>
    polygon(
      x,
      y,
      [
        -1.6, -5, 1.6, -5, 1.6, -1.6, 5, -1.6, 5, 1.6, 1.6, 1.6, 1.6, 5, -1.6, 5, -1.6, 1.6, -5, 1.6, -5,
        -1.6, -1.6, -1.6,
      ],
    ),
  (x, y) => polygon(x, y, [0, -5, 4.8, -1.5, 3, 4.2, -3, 4.2, -4.8, -1.5]),
];
const colors = 6;

function polygon(x: number, y: number, offsets: readonly number[]): string {
  const points = offsets.map((offset, i) => round(offset + (i % 2 === 0 ? x : y)));
  return `<polygon points="${points.join(' ')}"/>`;
}

/** The figure; it is as wide as what holds it. */
export function lineFigure({ title, xTitle, yTitle, lines, xTicks, showX, showY }: Figure): string {
  const points = lines.flatMap((line) => line.points);
  const height = Math.max(size.height, size.top + lines.length * legendRow + 10);
  const xs = scale(
    points.map(({ x }) => x).concat(xTicks ?? []),
    size.left + 18,
    size.width - size.right - 18,
  );
  const ys = scale(
    points.flatMap(({ y, low = y, high = y }) => [low, high]),
    height - size.bottom,
    size.top + 6,
    0.04,
  );
  const parts = [
    ...ys.ticks.map(
      (tick) =>
        `<line x1="${size.left}" x2="${size.width - size.right}" y1="${ys.at(tick)}" y2="${ys.at(tick)}" stroke="var(--line)"/>` +
        label(size.left - 8, ys.at(tick) + 4, showY(tick), 'end'),
    ),
    ...(xTicks ?? xs.ticks).map((tick) =>
      label(xs.at(tick), height - size.bottom + 18, showX(tick), 'middle'),
    ),
    label((size.left + size.width - size.right) / 2, height - 8, xTitle, 'middle'),
    `<text x="14" y="${(height - size.bottom) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(height - size.bottom) / 2})" fill="var(--text-dim)">${escapeMarkup(yTitle)}</text>`,
    ...lines.map((line, index) => drawLine(line, index, lines.length, xs.at, ys.at, showX, showY)),
  ];
  return `<svg viewBox="0 0 ${size.width} ${height}" role="img" aria-label="${escapeMarkup(title)}" font-size="12" font-family="inherit">${parts.join('')}</svg>`;
}

function drawLine(
  { label: name, isBaseline = false, points }: FigureLine,
  index: number,
  count: number,
  atX: (value: number) => number,
  atY: (value: number) => number,
  showX: (value: number) => string,
  showY: (value: number) => string,
): string {
  const color = `var(--series-${(index % colors) + 1})`;
  const shape = shapes[index % shapes.length];
  const dash = isBaseline ? ' stroke-dasharray="5 4"' : '';
  // Side by side, so that intervals at the same place can be told apart.
  const aside = points.some(({ low }) => low !== undefined)
    ? (index - (count - 1) / 2) * Math.min(4, 28 / count)
    : 0;
  const place = ({ x, y }: { x: number; y: number }) => ({ x: round(atX(x) + aside), y: atY(y) });
  const path = points.map((point) => `${place(point).x},${place(point).y}`).join(' ');
  const marks = points.map((point) => {
    const { x, y } = place(point);
    const { low, high } = point;
    const isRange = low !== undefined && high !== undefined;
    const text = `${name}, ${showX(point.x)}: ${showY(point.y)}${isRange ? ` (${showY(low)} to ${showY(high)})` : ''}`;
    const bar = isRange
      ? `<path d="M${x} ${atY(low)}V${atY(high)}M${x - 3} ${atY(low)}h6M${x - 3} ${atY(high)}h6" stroke="${color}" fill="none"/>`
      : '';
    return `<g><title>${escapeMarkup(text)}</title>${bar}<g fill="${color}">${points.length > 12 ? '' : shape(x, y)}</g></g>`;
  });
  const legend = { x: size.width - size.right + 18, y: size.top + 10 + index * legendRow };
  return (
    `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.75"${dash}/>${marks.join('')}` +
    `<line x1="${legend.x - 8}" x2="${legend.x + 16}" y1="${legend.y}" y2="${legend.y}" stroke="${color}" stroke-width="1.75"${dash}/>` +
    `<g fill="${color}">${shape(legend.x + 4, legend.y)}</g>` +
    `<text x="${legend.x + 24}" y="${legend.y + 4}" fill="var(--text)">${escapeMarkup(short(name))}</text>`
  );
}

const label = (x: number, y: number, text: string, anchor: string): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="var(--text-dim)">${escapeMarkup(text)}</text>`;

const short = (text: string): string => (text.length > 26 ? `${text.slice(0, 25)}…` : text);

/** From values to places, with ticks at round values. */
function scale(values: readonly number[], from: number, to: number, margin = 0) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const pad = least === most ? Math.abs(least) / 20 || 0.05 : (most - least) * margin;
  const [low, high] = [least - pad, most + pad];
  const step = roundStep((high - low) / 5);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return {
    at: (value: number): number => round(from + ((value - low) / (high - low)) * (to - from)),
    ticks: Array.from({ length: Math.max(0, last - first + 1) }, (_, i) =>
      Number(((first + i) * step).toPrecision(12)),
    ),
  };
}

/** The 1, 2 or 5 times a power of ten next above. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

const round = (value: number): number => Math.round(value * 10) / 10;
