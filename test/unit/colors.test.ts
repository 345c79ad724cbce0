import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { reportStyle } from '../../src-main/service/report-style.ts';

const css = readFileSync(new URL('../../src-renderer/app.css', import.meta.url), 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [
    name,
    { light, dark },
  ]),
);
const inReport = [...reportStyle.matchAll(/(--[\w-]+: light-dark\(#\w{6}, #\w{6}\))/g)].map(
  ([token]) => token,
);
const texts = ['text', 'text-dim', 'text-faint', 'accent', 'accent-strong', 'good', 'warn', 'bad'];
const grounds = [...tokens.keys()].filter((name) => name.startsWith('bg') || name.endsWith('-soft'));

/** Relative luminance of a color (WCAG 2.2). */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  // 4.5 is what WCAG 2.2 asks of text of ordinary size (success criterion 1.4.3).
  test.each(texts)('%s can be read on every ground', (text) => {
    const tooFaint = grounds.filter((ground) => {
      const [low, high] = [tokens.get(text)![theme], tokens.get(ground)![theme]]
        .map(luminance)
        .sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05) < 4.5;
    });
    expect(tooFaint).toEqual([]);
  });
});

test('a report has the app’s own colors', () => {
  expect(inReport.length).toBeGreaterThan(0);
  expect(inReport.filter((token) => !css.includes(token))).toEqual([]);
});
