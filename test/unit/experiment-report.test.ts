import { expect, test } from 'vitest';
import { experimentReport } from '../../src-main/service/experiment-report.ts';
import { accuracyFigure } from '../../src-shared/accuracy-figure.ts';
import type { ExperimentCell, ExperimentResults } from '../../src-shared/contract.ts';
import { asCsv, asLatex, asMarkdown } from '../../src-shared/experiment-table.ts';

const cost = { runs: 0, steps: 0, seconds: 0 };
const cell = (method: number, rate: number, more: Partial<ExperimentCell>): ExperimentCell => ({
  method,
  rate,
  state: 'chosen',
  tried: [],
  runs: [],
  accuracy: null,
  isBest: false,
  cost: { search: cost, final: cost },
  ...more,
});
const results: ExperimentResults = {
  task: 'image-classification',
  experiment: {
    id: 3,
    name: 'birds <script>alert(1)</script>',
    plan: {
      name: 'birds',
      dataset: 'cub_100',
      model: 'mnv2',
      methods: ['linear-probe', 'cotuning'],
      rates: [0.15, 1],
      seeds: [0, 1],
      config: {},
      search: null,
      baseline: true,
    },
    status: 'finished',
    runs: [],
    createdAt: '2026-01-01T00:00:00.000Z',
  },
  state: 'finished',
  problem: null,
  methods: [
    { label: 'linear-probe', isBaseline: true },
    { label: 'cotuning (trade off 1)', isBaseline: false },
  ],
  cells: [
    cell(0, 0.15, { accuracy: { mean: 0.5, interval: null, seeds: 1 } }),
    cell(0, 1, { accuracy: { mean: 0.6, interval: [0.55, 0.65], seeds: 2 } }),
    cell(1, 0.15, { state: 'hopeless' }),
    cell(1, 1, { accuracy: { mean: 0.7, interval: [0.68, 0.72], seeds: 2 }, isBest: true }),
  ],
  plannedRuns: 4,
  verdicts: [],
};

test('the table says one seed for one seed, and bold only what is carried by comparisons', () => {
  expect(asMarkdown(results)).toBe(
    [
      '| method | 15 % | 100 % |',
      '|---|---:|---:|',
      '| linear-probe (baseline) | 50.0 (one seed) | 60.0 (55.0 to 65.0) |',
      '| cotuning (trade off 1) | diverged | **70.0 (68.0 to 72.0)** |',
      '',
    ].join('\n'),
  );
  expect(asLatex(results)).toContain('15 \\% & 100 \\%');
  expect(asLatex(results)).toContain('\\textbf{70.0 (68.0 to 72.0)}');
  expect(asCsv(results).split('\n')[4]).toBe('cotuning (trade off 1),false,1,0.7,0.68,0.72,2,true');
});

test('the figure has a line for each method with values, and none before the first', () => {
  const figure = accuracyFigure(results)!;
  expect(figure.match(/<polyline/g)).toHaveLength(2);
  expect(figure).toContain('cotuning (trade off 1), 100 %: 70.0 (68.0 to 72.0)');
  expect(figure).not.toMatch(/NaN|Infinity/);
  expect(
    accuracyFigure({ ...results, cells: results.cells.map((one) => ({ ...one, accuracy: null })) }),
  ).toBeNull();
});

test('a report needs nothing from elsewhere, and names are text in it', () => {
  const html = experimentReport({ results, finals: [], relationships: [], environment: { Program: 'x' } });
  expect(html).not.toMatch(/<script|<link|https?:|url\(|@import/);
  expect(html).toContain('birds &lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).toContain('<strong>70.0 (68.0 to 72.0)</strong>');
});
