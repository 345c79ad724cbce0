import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cotune } from './cli-process.ts';
import { twoStepRuns, twoSteps } from './two-step-runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let fixture: Awaited<ReturnType<typeof twoStepRuns>>;
beforeAll(async () => {
  fixture = await twoStepRuns();
});
afterAll(() => {
  fixture.remove();
});

const trained = (...args: string[]) => fixture.trained(...args);

test('terms that prepare, weigh, limit and rate go together in one run, the same to the bit for the same seed', async () => {
  const composed = ['--method', 'scratch+bss', '--extras', 'class-weights+gradient-clipping+layer-decay'];
  const [one, again, other] = [
    await trained(...twoSteps, ...composed),
    await trained(...twoSteps, ...composed),
    await trained(...twoSteps, ...composed, '--seed', '1'),
  ];
  expect(one).toMatchObject({ status: 'finished', method: 'bss+scratch' });
  expect([again.test, again.val]).toEqual([one.test, one.val]);
  expect(other.val.nll).not.toBe(one.val.nll);
});

test('training from scratch and co-tuning say why they cannot go together', async () => {
  const { stdout } = await cotune([
    ...['train', ...twoSteps, '--method', 'scratch+cotuning', '--json', '--home', fixture.home],
  ]);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('needs pre-trained weights, and From scratch leaves none'),
  });
});

test('two runs make a soup and one an interpolation: runs like others, but for averages of averages', async () => {
  const home = ['--json', '--home', fixture.home];
  const answer = async (...args: string[]) => {
    const { code, stdout } = await cotune([...args, ...home]);
    return { code, ...JSON.parse(stdout) };
  };
  const probed = [...twoSteps, '--method', 'lp-ft'];
  const [one, two] = [await trained(...probed, '--lr', '0.001'), await trained(...probed, '--lr', '0.01')];
  const soup = await answer('soup', `${one.run}`, `${two.run}`, '--way', 'uniform');
  expect(soup).toMatchObject({ code: 0, status: 'finished', method: 'uniform-soup', steps: 0 });
  expect(soup.notes).toContain(`The mean of runs ${one.run}, ${two.run}.`);
  expect(soup.test.accuracy).toBeGreaterThanOrEqual(0);

  // Its ends are networks as they are: the trained one scores what it scored.
  const line = await answer('interpolate', `${two.run}`);
  expect(line).toMatchObject({ code: 0, status: 'finished', method: 'interpolation' });
  expect(line.notes.join(' ')).toMatch(/α = [\d.]+ of run \d+, chosen on \d+ validation images/);
  expect(line.val.accuracy).toBeGreaterThanOrEqual(two.val.accuracy);
  expect(await answer('interpolate', `${soup.run}`)).toMatchObject({
    code: 2,
    error: { message: expect.stringContaining('is an average itself') },
  });
});

test('what a plan will take is measured for methods that learn from images beforehand', async () => {
  const path = join(fixture.root, 'plan.yaml');
  writeFileSync(
    path,
    'name: all\ndataset: insects\nmodel: tiny\nmethods: [cotuning]\nrates: [1]\nseeds: [0]\nsearch: off\nconfig: { engine: cpu, steps: 2, batch: 4, size: 32 }\n',
  );
  const { code, stdout, stderr } = await cotune([
    ...['experiment', path, '--estimate', '--json', '--home', fixture.home],
  ]);
  expect([stderr, code]).toEqual([stderr, 0]);
  expect(JSON.parse(stdout)).toMatchObject({ runs: 2, engine: 'cpu', seconds: expect.any(Number) });
});
