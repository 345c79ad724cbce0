/** The main job through the command line, with the real trainer on a tiny network: every document it prints. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseNpy } from '../../src-main/formats/npy.ts';
import { drawImageFolder } from '../../src-main/sample/draw.ts';
import { targetSpecies } from '../../src-main/sample/species.ts';
import { writeTinyNetwork } from '../browser/tiny-network.ts';
import { cotune, launcher, type Outcome } from './cli-process.ts';

// A minute's work on an idle machine; a busy one takes longer.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const folder = mkdtempSync(join(tmpdir(), 'cotune-cli-'));
const home = join(folder, 'home');
const species = targetSpecies.slice(0, 3);
const settings = '--dataset beetles --model tiny --size 32 --batch 6 --steps 8 --lr 0.001'.split(' ');
const number = expect.any(Number);

/** Runs a command that has to succeed; its document. */
async function document(...args: string[]) {
  const { code, stdout, stderr } = await cotune([...args, '--home', home, '--json']);
  expect([stderr, code]).toEqual([stderr, 0]);
  return JSON.parse(stdout);
}
const text = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await cotune([...args, '--home', home]);
  expect([stderr, code]).toEqual([stderr, 0]);
  return stdout;
};

let finetune: number;
let cotuning: number;

beforeAll(async () => {
  await drawImageFolder(join(folder, 'images'), { species, seed: 3, counts: { train: 10, test: 5 } });
  writeTinyNetwork(join(folder, 'tiny.safetensors'));
  await document('import', join(folder, 'images'), '--name', 'beetles');
  await document('models', 'add', join(folder, 'tiny.safetensors'), '--name', 'tiny');
  finetune = (await document('train', ...settings, '--method', 'finetune')).run;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('train prints the whole run', async () => {
  const run = await document('train', ...settings, '--method', 'cotuning', '--rate', '0.8', '--seed', '1');
  cotuning = run.run;
  const metrics = { accuracy: number, macro_f1: number, nll: number, ece: number };
  expect(run).toMatchObject({
    status: 'finished',
    method: 'cotuning',
    dataset: 'beetles',
    model: 'tiny',
    engine: expect.any(String),
    seed: 1,
    rate: 0.8,
    samples: { train: number, val: number, test: 15 },
    steps: 8,
    test: metrics,
    val: metrics,
    relationship: { id: number, approach: 'reverse', C: number, source_temperature: 1.5, scale: number },
    timing: {
      total_s: number,
      data_s: number,
      relationship_s: number,
      train_s: number,
      evaluate_s: number,
      images_per_s: number,
    },
    error: null,
  });
});

test('relationship prints what was learned, and writes its matrix in three formats', async () => {
  const outs = ['.npy', '.csv', '.json'].map((extension) => join(folder, `relationship${extension}`));
  for (const out of outs) {
    const learned = await document('relationship', '--dataset', 'beetles', '--model', 'tiny', '--out', out);
    expect(learned).toMatchObject({
      id: number,
      approach: 'reverse',
      source_temperature: 1.5,
      temperature_source: 'metadata',
      C: number,
      scale: number,
      val_accuracy: number,
    });
    expect(learned.grid).toHaveLength(17);
    expect(learned.grid[0]).toEqual({ C: number, objective: number, val_accuracy: number });
    expect(learned.targets.map(({ name }: { name: string }) => name).sort()).toEqual(
      species.map(({ name }) => name).sort(),
    );
    expect(learned.targets[0]).toMatchObject({ entropy: number, sources: expect.any(Array) });
    expect(learned.targets[0].sources[0]).toEqual({ name: expect.any(String), p: number });
  }
  const { shape, data } = parseNpy(readFileSync(outs[0]), outs[0]);
  const lines = readFileSync(outs[1], 'utf8').trim().split('\n');
  const { targets, sources, matrix } = JSON.parse(readFileSync(outs[2], 'utf8'));
  expect(shape).toEqual([targets.length, sources.length]);
  expect([...data]).toEqual(matrix.flat());
  expect(lines[0].split(',')).toEqual(['', ...sources]);
  expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(targets);
});

test('show tells of classes, mistakes and the relationship', async () => {
  const shown = await text('show', String(cotuning));
  for (const { name } of species) expect(shown).toContain(name);
  expect(shown).toContain('95 % interval');
  expect(shown).toContain('strongest source classes');
  const json = await document('show', String(cotuning));
  expect(json.evaluation.classes).toHaveLength(3);
  expect(json.evaluation).toMatchObject({
    split: 'test',
    macro_f1: number,
    accuracy_interval: [number, number],
  });
});

test('compare tells differences, accuracies with intervals, gains, images and a verdict', async () => {
  const json = await document('compare', String(finetune), String(cotuning));
  const [pair] = json.pairs;
  expect(pair).toMatchObject({
    a: finetune,
    b: cotuning,
    verdict: expect.any(String),
    accuracy_a: { value: number, low: number, high: number },
    fixed: expect.any(Array),
    broken: expect.any(Array),
  });
  expect(pair.classes).toHaveLength(3);
  expect(pair.config_differences.map(({ key }: { key: string }) => key)).toContain('method');
  const shown = await text('compare', String(finetune), String(cotuning));
  expect(shown).toContain(pair.verdict);
  expect(shown).toMatch(/\d+ images? fixed/);
});

test('predict names classes, and why an image has none', async () => {
  const good = join(folder, 'images', 'test', species[0].name);
  const bad = join(folder, 'bad.jpg');
  writeFileSync(bad, 'no picture');
  const file = join(good, readdirSync(good)[0]);
  const { code, stdout } = await cotune(['predict', String(finetune), file, bad, '--home', home, '--json']);
  expect(code).toBe(2);
  const { predictions } = JSON.parse(stdout);
  expect(predictions[0]).toMatchObject({ path: file, error: null });
  expect(predictions[0].top[0]).toEqual({ name: expect.any(String), p: number });
  expect(predictions[1]).toMatchObject({ path: bad, top: [], error: { message: expect.any(String) } });
});

test('export writes the network and the predictions', async () => {
  for (const format of ['safetensors', 'onnx', 'csv']) {
    const out = join(folder, `out.${format}`);
    const written = await document('export', String(finetune), '--format', format, '--out', out);
    expect(written).toMatchObject({ run: finetune, format, path: out });
    expect(readFileSync(out).length).toBe(written.bytes);
  }
  const lines = readFileSync(join(folder, 'out.csv'), 'utf8').trim().split('\n');
  expect(lines.filter((line) => line.includes(',test,'))).toHaveLength(15);
});

test('a file that is there already is named, and replaced only where that is asked for', async () => {
  const table = join(folder, 'precious.csv');
  const commands = [
    ['export', String(finetune), '--format', 'csv', '--out', table],
    ['relationship', '--dataset', 'beetles', '--model', 'tiny', '--out', table],
  ];
  for (const command of commands) {
    writeFileSync(table, 'precious');
    const { code, stderr } = await cotune([...command, '--home', home]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`There is a file ${table} already.`)]);
    expect(stderr).toContain('--force');
    expect(readFileSync(table, 'utf8')).toBe('precious');
    await document(...command, '--force');
    expect(readFileSync(table, 'utf8').split('\n').length).toBeGreaterThan(species.length);
  }
  // What stands beside an exported network is replaced only where it is such a README.
  const readme = join(folder, 'taken.README.md');
  writeFileSync(readme, 'precious');
  const network = [
    'export',
    String(finetune),
    '--format',
    'onnx',
    '--out',
    join(folder, 'taken.onnx'),
    '--force',
  ];
  const { code, stderr } = await cotune([...network, '--home', home]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(readme)]);
  expect(readFileSync(readme, 'utf8')).toBe('precious');
});

/** Runs a command and ends it by a signal once it trains. */
async function endBy(signal: NodeJS.Signals, ...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [launcher, ...args, '--home', home, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  let interrupted = false;
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    said.stderr += chunk;
    if (interrupted || !/: train: [1-9]/.test(said.stderr)) return;
    interrupted = true;
    child.kill(signal);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...said };
}

const interrupt = (...args: string[]) => endBy('SIGINT', ...args);

test('an interrupt stops a run with a checkpoint, and --resume goes on from it', async () => {
  const { code, stdout, stderr } = await interrupt(
    ...['train', ...settings, '--steps', '200', '--method', 'finetune'],
  );
  expect([stderr, code]).toEqual([stderr, 1]);
  const stopped = JSON.parse(stdout);
  expect(stopped).toMatchObject({ status: 'stopped', error: { code: 'cancelled' } });
  expect(stopped.checkpoint_step).toBeGreaterThan(0);
  expect(stderr).toContain(`cotune train --resume ${stopped.run}`);
  expect(stopped.steps).toBeLessThan(200);
  const resumed = await document('train', '--resume', String(stopped.run));
  expect(resumed).toMatchObject({ run: stopped.run, status: 'finished', steps: 200, error: null });
});

test('a sweep that is interrupted stays in the queue; resumed, it trains its plan and sums it up', async () => {
  const plan = join(folder, 'plan.yaml');
  writeFileSync(
    plan,
    'name: both\ndataset: beetles\nmodel: tiny\nmethods: [finetune, cotuning]\nseeds: [0, 1]\nconfig: { steps: 40, size: 32, batch: 6, lr: 0.001 }\n',
  );
  const { code, stdout, stderr } = await interrupt('sweep', plan);
  expect([stderr, code]).toEqual([stderr, 1]);
  const [, id] = /cotune sweep --resume (\d+)/.exec(JSON.parse(stdout).error.hint)!;
  expect(
    (await document('runs', '--experiment', id)).map(({ status }: { status: string }) => status),
  ).toEqual(Array(4).fill('queued'));
  const swept = await document('sweep', '--resume', id);
  expect(swept.runs).toHaveLength(4);
  expect(swept.groups).toMatchObject([
    { method: 'finetune', rate: 1, accuracy_mean: number, accuracy_sd: number },
    { method: 'cotuning', rate: 1, accuracy_mean: number, accuracy_sd: number },
  ]);
});

test('an experiment whose process is killed goes on where it was: no run is lost, none is made twice', async () => {
  const plan = join(folder, 'experiment.yaml');
  writeFileSync(
    plan,
    'name: searched\ndataset: beetles\nmodel: tiny\nmethods: [finetune]\nseeds: [0, 1]\nsearch: { learning_rates: [1, 3], strengths: 1 }\nconfig: { steps: 40, size: 32, batch: 6, lr: 0.001 }\n',
  );
  const { code, stderr } = await endBy('SIGKILL', 'experiment', plan, '--no-estimate');
  expect([stderr, code]).toEqual([stderr, null]);
  const known = await document('runs');
  const resumed = await document('experiment', '--resume', String(known[0].experiment));
  expect(resumed).toMatchObject({ state: 'finished', error: null });
  const runs = await document('runs', '--experiment', String(known[0].experiment));
  expect(runs.map(({ status }: { status: string }) => status)).toEqual(Array(runs.length).fill('finished'));
  const made = runs.map(({ method, seed, steps }: Record<string, unknown>) => `${method} ${seed} ${steps}`);
  expect(made.sort()).toEqual([
    ...['finetune 0 20', 'finetune 0 20', 'finetune 0 40', 'finetune 1 40'],
    ...['linear-probe 0 0', 'linear-probe 1 0'],
  ]);
});

test('runs are listed newest first, and deleted with what they left', async () => {
  const runs = await document('runs');
  expect(runs.map(({ run }: { run: number }) => run)).toEqual(
    runs.map(({ run }: { run: number }) => run).sort((a: number, b: number) => b - a),
  );
  await document('delete', String(finetune), String(cotuning));
  expect(existsSync(join(home, 'runs', String(finetune)))).toBe(false);
  const left = (await document('runs')).map(({ run }: { run: number }) => run);
  expect(left).not.toContain(finetune);
});
