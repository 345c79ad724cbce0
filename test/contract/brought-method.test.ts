import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { emptyForm, readForm } from '../../src-renderer/runs/training-form.ts';
import type { Catalog } from '../../src-shared/parts.ts';
import { cotune } from './cli-process.ts';
import { twoStepRuns, twoSteps } from './two-step-runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const file = fileURLToPath(new URL('../fixtures/methods/feature-norm.ts', import.meta.url));

let fixture: Awaited<ReturnType<typeof twoStepRuns>>;
beforeAll(async () => {
  process.env.COTUNE_METHODS = file;
  fixture = await twoStepRuns();
});
afterAll(() => {
  delete process.env.COTUNE_METHODS;
  fixture.remove();
});

const trained = (...args: string[]) => fixture.trained(...args);

test('a method in a file of its own has flags with help, and trains with the options that they give', async () => {
  const { stdout } = await cotune(['train', '--help']);
  expect(stdout).toMatch(/--feature-norm\.weight <n>\s+weight of the term \(default: 0\.5\)/);
  const document = await trained(
    ...twoSteps,
    '--method',
    'feature-norm',
    '--feature-norm.weight',
    '2',
    '--absolute',
  );
  expect(document).toMatchObject({
    status: 'finished',
    method: 'feature-norm',
    config: { method: [{ name: 'feature-norm', weight: 2, absolute: true }] },
  });
  const { stdout: wrong } = await cotune([
    ...['train', ...twoSteps, '--method', 'feature-norm', '--weight', '11', '--json', '--home', fixture.home],
  ]);
  expect(JSON.parse(wrong).error).toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('"weight" is 11'),
    hint: '"weight" has to be at most 10.',
  });
});

test('it trains from a settings file, together with another', async () => {
  const path = join(fixture.root, 'settings.yaml');
  writeFileSync(path, 'method: feature-norm+cotuning\nfeature-norm: { weight: 1 }\ncotuning.trade_off: 3\n');
  expect((await trained('--config', path, ...twoSteps)).config.method).toEqual([
    {
      ...{ name: 'cotuning', trade_off: 3, warmup: 0, source_head_rate: 1 },
      ...{ approach: 'reverse', shuffled: false },
    },
    { name: 'feature-norm', weight: 1, absolute: false },
  ]);
});

test('the form lists it as the service describes it, with a field for each option', async () => {
  const script = `const { catalog } = await import(${JSON.stringify(new URL('../../src-main/transfer/catalog.ts', import.meta.url).href)}); process.stdout.write(JSON.stringify(catalog()));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const catalog = JSON.parse(stdout) as Catalog;
  const typed = { ...emptyForm, methods: ['feature-norm'], options: { 'feature-norm.weight': '4' } };
  expect(readForm(typed, catalog)).toMatchObject({
    methods: [[{ name: 'feature-norm', weight: 4 }]],
    errors: {},
  });
  const wrong = readForm({ ...typed, options: { 'feature-norm.weight': '-1' } }, catalog);
  expect(wrong.errors).toEqual({ 'feature-norm.weight': 'A number from 0 and up to 10.' });
});
