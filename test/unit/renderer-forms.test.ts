import { expect, test } from 'vitest';
import { catalog } from '../../src-main/transfer/catalog.ts';
import { naturalPair } from '../../src-renderer/compare/natural-pair.ts';
import { duration, percent, points, quantity, when } from '../../src-renderer/format.ts';
import { alignSeries } from '../../src-renderer/parts/align-series.ts';
import { smooth } from '../../src-renderer/parts/smooth.ts';
import { curveGroups } from '../../src-renderer/run/curves.ts';
import { emptyForm, formOf, readForm } from '../../src-renderer/runs/training-form.ts';
import { boundedBy, underPreset } from '../../src-shared/parts.ts';
import { makeRun } from '../browser/fake-data.ts';

const parts = catalog();
const methods = parts.method.map(({ name }) => name);

test('fields left empty stay out of the request, so that the preset decides them', () => {
  expect(readForm(emptyForm, parts)).toMatchObject({ settings: { preset: 'quick' }, runs: 2, errors: {} });
  expect(Object.keys(readForm(emptyForm, parts).settings)).toEqual(['preset']);
});

test('what a preset begins with is said of an option, and is its default under that preset alone', () => {
  const crop = parts.crop.find(({ name }) => name === 'random-crop')!;
  const scaleUnder = (preset: string) =>
    underPreset(crop, preset).options.find(({ name }) => name === 'scale')!.default;
  expect([scaleUnder('quick'), scaleUnder('paper')]).toEqual([
    [0.2, 1],
    [0.08, 1],
  ]);
  expect(crop.options.find(({ name }) => name === 'scale')!.presets).toEqual({ paper: [0.08, 1] });
});

test('several methods, rates and seeds multiply; repeated values count once', () => {
  const plan = readForm({ ...emptyForm, rates: '15, 30', seeds: '0 1 2 2' }, parts);
  expect(plan).toMatchObject({ rates: [0.15, 0.3], seeds: [0, 1, 2], runs: 12 });
});

test('every mistake is named beside its field', () => {
  const plan = readForm(
    {
      ...emptyForm,
      methods: [],
      options: { 'step.decayAt': 'x', 'sgd.momentum': '1' },
      rates: '0',
      seeds: '-1',
      length: '2.5',
      batch: '1',
      learningRate: '0',
    },
    parts,
  );
  expect(Object.keys(plan.errors).sort()).toEqual([
    'batch',
    'learningRate',
    'length',
    'methods',
    'rates',
    'seeds',
    'sgd.momentum',
    'step.decayAt',
  ]);
});

test('an option that the network bounds is held to what the chosen network has', () => {
  const typed = {
    ...emptyForm,
    extras: ['frozen-blocks'],
    options: { 'frozen-blocks.blocks': '9' },
  };
  expect(readForm(typed, parts).errors).toEqual({});
  const bounded = boundedBy(parts, { has: [], blocks: 8 });
  expect(readForm(typed, bounded).errors).toEqual({
    'frozen-blocks.blocks': 'A whole number from 1 and up to 8.',
  });
});

test('the settings of a run come back as they were through the form', () => {
  const { config } = makeRun(8);
  const plan = readForm({ ...emptyForm, ...formOf(config) }, parts);
  expect(plan.errors).toEqual({});
  const { dataset, model, method, extras: _, augment: __, rate, seed, ...settings } = config;
  expect(plan).toMatchObject({ methods: [method], rates: [rate], seeds: [seed], settings });
  expect(formOf(config)).toMatchObject({ dataset, model });
});

test('the natural pair is fine-tuning against co-tuning on the same split and seed, baseline first', () => {
  const runs = [1, 2, 3, 4].map((id) => makeRun(id));
  const pair = naturalPair(runs, runs, methods)!;
  expect(pair.map((run) => run.config.method[0].name)).toEqual(['finetune', 'cotuning']);
  expect(pair[0].config.seed).toBe(pair[1].config.seed);
  expect(naturalPair([], [runs[0]], methods)).toBeNull();
});

test('smoothing keeps a constant, does not shift a ramp, and leaves out values that are no numbers', () => {
  const constant = [1, 2, 3, 4].map((step) => ({ step, value: 5 }));
  for (const { value } of smooth(constant, 3)) expect(value).toBeCloseTo(5, 12);
  const ramp = Array.from({ length: 101 }, (_, step) => ({ step, value: step }));
  expect(smooth(ramp, 4)[50].value).toBeCloseTo(50, 4);
  const broken = [...constant, { step: 5, value: Number.NaN }];
  expect(smooth(broken, 3)).toEqual(smooth(constant, 3));
});

test('series with different steps share one axis, gaps left open', () => {
  const aligned = alignSeries([
    {
      points: [
        { step: 1, value: 10 },
        { step: 3, value: 30 },
      ],
    },
    { points: [{ step: 2, value: 20 }] },
  ]);
  expect(aligned).toEqual({
    steps: [1, 2, 3],
    values: [
      [10, undefined, 30],
      [undefined, 20, undefined],
    ],
    counts: [2, 1],
  });
});

test('losses share a plot, a total that equals the target loss is drawn once, unknown series get their own', () => {
  const points = [{ step: 1, value: 2 }];
  const titles = (series: Parameters<typeof curveGroups>[0]) =>
    curveGroups(series).map(({ title, curves }) => [title, curves.map(({ name }) => name)]);
  expect(titles({ loss: points, target_loss: points, val_nll: points, grad_norm: points })).toEqual([
    ['Loss', ['target_loss', 'val_nll']],
    ['Grad norm', ['grad_norm']],
  ]);
  const total = [{ step: 1, value: 3 }];
  expect(titles({ source_loss: points, loss: total, target_loss: points })[0][1]).toEqual([
    'loss',
    'target_loss',
    'source_loss',
  ]);
});

test('numbers read as a person writes them', () => {
  expect([percent(0.8932), percent(null), points(0.021), points(-0.0001), points(-0.05)]).toEqual([
    '89.3%',
    '–',
    '+2.1',
    '±0.0',
    '−5.0',
  ]);
  expect([quantity(0.0005), quantity(0), quantity(1234.5), quantity(0.25), quantity(1e7)]).toEqual([
    '5e-4',
    '0',
    '1,235',
    '0.25',
    '1e7',
  ]);
  expect([duration(0.2), duration(59.6), duration(74), duration(3600), duration(5400)]).toEqual([
    '< 1 s',
    '1 min 0 s',
    '1 min 14 s',
    '1 h 0 min',
    '1 h 30 min',
  ]);
  const now = Date.parse('2026-01-02T12:00:00Z');
  expect(when('2026-01-02T11:58:30Z', now)).toBe('1 min ago');
});
