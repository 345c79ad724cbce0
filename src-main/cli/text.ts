/** Plain text for people: aligned tables, percentages, durations. */
import { visibleOnOneLine } from './visible.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/** Rows under a header, columns as wide as their widest cell. */
export function table(columns: Column[], given: string[][]): string {
  const rows = given.map((row) => row.map(visibleOnOneLine));
  const widths = columns.map(({ title }, column) =>
    rows.reduce((widest, row) => Math.max(widest, width(row[column] ?? '')), width(title)),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => {
        const gap = ' '.repeat(Math.max(0, widths[column] - width(cell)));
        return columns[column].align === 'right' ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    line(widths.map((count) => '─'.repeat(count))),
    ...rows.map(line),
  ].join('\n');
}

/** Columns: names to the left; those whose title begins with `#` hold numbers and stand to the right. */
export const columns = (...titles: string[]): Column[] =>
  titles.map((title) =>
    title.startsWith('#') ? { title: title.slice(1), align: 'right' } : { title, align: 'left' },
  );

const oneColumnEach = /^[ -~]*$/;
/** Made with the first text that needs it: that takes 14 ms. */
let graphemes: Intl.Segmenter | undefined;
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff00-\uff60]/u;

/** Columns a terminal gives a text; ideographs, kana, hangul and emoji take two. */
function width(text: string): number {
  if (oneColumnEach.test(text)) return text.length;
  graphemes ??= new Intl.Segmenter();
  let total = 0;
  for (const { segment } of graphemes.segment(text)) total += wide.test(segment) ? 2 : 1;
  return total;
}

/** A value that is not there is an en dash. */
export const percent = (share: number | null, digits = 1): string =>
  share === null ? '–' : `${(100 * share).toFixed(digits)} %`;

/** A difference of shares in percentage points, with its sign. */
export const points = (share: number | null): string => {
  if (share === null) return '–';
  const text = Math.abs(100 * share).toFixed(1);
  return text === '0.0' ? '0.0' : `${share > 0 ? '+' : '−'}${text}`;
};

export const seconds = (value: number): string =>
  value < 100 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** At most `limit` lines, and how many more there are. */
export const someOf = (lines: string[], limit: number): string[] =>
  lines.length <= limit
    ? lines
    : [...lines.slice(0, limit), `… and ${lines.length - limit} more (--json has them all)`];
