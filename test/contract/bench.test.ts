import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Spread } from '../../src-shared/spread.ts';
import { cotune } from './cli-process.ts';
import { type Fixture, makeFixture } from './fixture.ts';

vi.setConfig({ testTimeout: 240_000 });
let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeFixture();
});
afterAll(() => fixture.remove());

const bench = async (...args: string[]) => {
  const { code, stdout, stderr } = await cotune(['bench', ...args]);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('    at ')]);
  return stdout;
};

const spread = { median: expect.any(Number), low: expect.any(Number), high: expect.any(Number) };
function expectSpread(document: Record<string, Spread>, name: string): void {
  const { low, median, high } = document[name];
  expect(low).toBeGreaterThan(0);
  expect(low).toBeLessThanOrEqual(median);
  expect(median).toBeLessThanOrEqual(high);
}

const tiny = ['--model', 'mobilenet_v2', '--batch', '2', '--size', '32', '--steps', '2'];

describe('bench train', () => {
  test('measures steps, operations and memory, and needs no data folder', async () => {
    const home = join(fixture.root, 'nowhere');
    const document = JSON.parse(await bench('train', ...tiny, '--home', home, '--json'));
    expect(document).toMatchObject({
      bench: 'train',
      model: 'mobilenet_v2',
      architecture: 'mobilenet_v2',
      batch: 2,
      size: 32,
      steps: 2,
      warmup_steps: 2,
      frozen: 0,
      engine: { name: expect.any(String), device: expect.any(String) },
      step_s: spread,
      operators: null,
      operators_note: null,
    });
    for (const name of ['step_s', 'images_per_s', 'gflop_per_s', 'share_of_peak'])
      expectSpread(document, name);
    const { step_s, images_per_s, gflop_per_step, gflop_per_s, product_peak_gflop_per_s: peak } = document;
    expect(images_per_s.median * step_s.median).toBeCloseTo(2, 6);
    expect(gflop_per_s.median * step_s.median).toBeCloseTo(gflop_per_step, 6);
    expect(document.share_of_peak.median * peak).toBeCloseTo(gflop_per_s.median, 6);
    const { trace, lower, session, total } = document.compile_s;
    expect(Math.min(trace, lower, session)).toBeGreaterThan(0);
    expect(trace + lower + session).toBeCloseTo(total, 9);
    const { before_compile_bytes: before, peak_bytes: most } = document.memory;
    expect(before).toBeGreaterThan(2 ** 20);
    expect(most).toBeGreaterThan(before);
    expect(existsSync(home)).toBe(false);
  });

  test('tells the time by operator, with all stages frozen too', async () => {
    const profiled = JSON.parse(
      await bench('train', ...tiny, '--engine', 'cpu', '--profile', '--frozen', '4', '--json'),
    );
    // Multiply-adds in millions: 1.28 of the head; a 49th of the other 299.5 at 224²; once more the head, for its gradient.
    expect(profiled.gflop_per_step).toBeCloseTo((2 * 2 * (1.28 + 299.5 / 49 + 1.28)) / 1000, 4);
    const { operators, frozen } = profiled;
    expect(frozen).toBe(4);
    expect(operators.map(({ operator }: { operator: string }) => operator)).toContain('Conv');
    const sum = (key: string) =>
      operators.reduce((total: number, operator: Record<string, number>) => total + operator[key], 0);
    expect(sum('share')).toBeCloseTo(1, 9);
    expect(sum('ms')).toBeLessThan(1000 * profiled.step_s.high);
    // A forward pass of MobileNetV2 has 52 convolutions.
    expect(sum('count')).toBeGreaterThan(52);
  });
});

describe('bench infer', () => {
  test('measures a registered network with its own weights', async () => {
    const home = ['--home', fixture.home];
    expect((await cotune(['models', 'add', fixture.weights, '--name', 'tiny', ...home])).code).toBe(0);
    const text = await bench(
      'infer',
      '--model',
      'tiny',
      '--batch',
      '2',
      '--size',
      '32',
      '--steps',
      '3',
      ...home,
    );
    expect(text).toMatch(/^infer tiny, batch 2, 32 px/);
    for (const row of [
      'step',
      'images/s',
      'GFLOP/s',
      'share of the product peak',
      'peak memory',
      'compiled in',
    ])
      expect(text).toContain(row);
  });
});

test('bench data measures batches of an imported dataset', async () => {
  const home = ['--home', fixture.home];
  expect((await cotune(['import', fixture.images, '--name', 'insects', ...home])).code).toBe(0);
  const document = JSON.parse(
    await bench(
      'data',
      '--dataset',
      'insects',
      '--size',
      '32',
      '--batch',
      '4',
      '--steps',
      '2',
      ...home,
      '--json',
    ),
  );
  expect(document).toMatchObject({
    bench: 'data',
    dataset: 'insects',
    size: 32,
    batch: 4,
    steps: 2,
    rounds: 5,
  });
  expect(document.images).toBeGreaterThan(0);
  expectSpread(document, 'warm_images_per_s');
});

test('bench relationship measures the grid and the whole', async () => {
  const document = JSON.parse(
    await bench(
      'relationship',
      '--samples',
      '60',
      '--sources',
      '12',
      '--targets',
      '3',
      '--rounds',
      '2',
      '--json',
    ),
  );
  expect(document).toMatchObject({ bench: 'relationship', samples: 60, sources: 12, targets: 3, rounds: 2 });
  expect(document.grid).toHaveLength(17);
  for (const name of ['grid_s', 'whole_s']) expectSpread(document, name);
});

test('bench store measures writing, and reading meanwhile', async () => {
  const options = ['--steps', '50', '--samples', '20', '--targets', '4', '--rounds', '2'];
  const document = JSON.parse(await bench('store', ...options, '--json'));
  expect(document).toMatchObject({ bench: 'store', steps: 50, samples: 20, targets: 4, rounds: 2 });
  for (const name of ['metric_rows_per_s', 'prediction_rows_per_s', 'history_read_s'])
    expectSpread(document, name);
  expect(await bench('store', ...options)).toContain("one run's history read while writing");
});

describe.concurrent('bad usage exits with 2 and says what would be right', () => {
  test.each([
    ['no kind of bench', ['bench'], /Usage: cotune bench/],
    ['a model that is none', ['bench', 'train', '--model', 'resnet5'], /resnet50.*mobilenet_v2/],
    ['too many frozen stages', ['bench', 'train', '--frozen', '5'], /"frozen".*at most 4/],
    ['a batch of none', ['bench', 'infer', '--batch', '0'], /"batch".*at least 1/],
    ['half a step', ['bench', 'infer', '--steps', '1.5'], /whole number/],
    ['a dataset that is none', ['bench', 'data', '--dataset', 'nothing'], /Import one first|Known/],
    [
      'too few samples',
      ['bench', 'relationship', '--samples', '5', '--targets', '3'],
      /too few for 3 target/,
    ],
    ['too long a profile', ['bench', 'train', '--steps', '21', '--profile'], /at most 20/],
  ])('%s', async (_, args, about) => {
    const home = /train|infer|data/.test(args[1]) ? ['--home', join(fixture.root, 'empty')] : [];
    const { code, stderr } = await cotune([...args, ...home]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(about)]);
    expect(stderr).not.toContain('    at ');
  });
});

test.each(['train', 'infer', 'relationship', 'data', 'store'])(
  'help of `bench %s` gives examples',
  async (kind) => {
    const { code, stdout } = await cotune(['bench', kind, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--json');
    expect(stdout.includes('--home')).toBe(['train', 'infer', 'data'].includes(kind));
    expect(stdout.split('Examples:\n')[1]).toContain(`cotune bench ${kind}`);
  },
);
