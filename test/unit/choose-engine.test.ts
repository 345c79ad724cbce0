import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ChoiceOptions } from '../../src-main/engine/choose.ts';
import type { Engine } from '../../src-main/engine/engine.ts';
import { CotuneError } from '../../src-shared/errors.ts';

let folder: string;
let choose: typeof import('../../src-main/engine/choose.ts');
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-choice-'));
  // What a process remembers of engines that failed is forgotten with the module.
  vi.resetModules();
  choose = await import('../../src-main/engine/choose.ts');
});
afterEach(() => rmSync(folder, { recursive: true }));

const milliseconds: Record<string, number> = { cpu: 50, webgpu: 5, cuda: 3 };

/** A machine whose engines take so long; `broken` ones do not open. */
function machine(more: Partial<ChoiceOptions> = {}, broken: string[] = []) {
  const measured: string[] = [];
  const options: ChoiceOptions = {
    candidates: ['cuda', 'webgpu'],
    precision: 'full',
    machine: 'a machine',
    cacheFolder: folder,
    open: async (name) => {
      if (broken.includes(name)) throw new CotuneError('unavailable', `${name} does not start.`);
      const info = { name, device: name, versions: {} };
      return { info, compile: () => Promise.reject(new Error('unused')), dispose: async () => {} };
    },
    measure: async ({ info }: Engine) => {
      measured.push(info.name);
      return { ms: milliseconds[info.name], slope: 1 };
    },
    ...more,
  };
  return { options, measured };
}

test('a machine with the CPU alone measures nothing and has nothing to explain', async () => {
  const { options, measured } = machine({ candidates: [] });
  const { engine, reason } = await choose.chooseEngine(options);
  expect([engine.info.name, reason, measured]).toEqual(['cpu', '', []]);
});

test('the fastest engine is taken, with every time said', async () => {
  const { options } = machine();
  const { engine, reason } = await choose.chooseEngine(options);
  expect(engine.info.name).toBe('cuda');
  expect(reason).toMatch(/took cuda: .*cuda 3\.00 ms, webgpu 5\.00 ms, cpu 50\.0 ms \(measured \d{4}-/);
});

test('the CPU is taken where it is the fastest', async () => {
  const { options } = machine({
    measure: async ({ info }) => ({ ms: info.name === 'cpu' ? 1 : 2, slope: 1 }),
  });
  expect((await choose.chooseEngine(options)).engine.info.name).toBe('cpu');
});

test('an engine that does not open leaves the next one, with its reason', async () => {
  const { options } = machine({}, ['cuda']);
  const { engine, reason } = await choose.chooseEngine(options);
  expect(engine.info.name).toBe('webgpu');
  expect(reason).toContain('cuda was left out: cuda does not start.');
});

test('an engine whose gradients are not the CPU’s is never taken', async () => {
  const measure = async ({ info }: Engine) => ({
    ms: milliseconds[info.name],
    slope: info.name === 'cuda' ? 1.1 : info.name === 'webgpu' ? Number.NaN : 1,
  });
  const { engine, reason } = await choose.chooseEngine(machine({ measure }).options);
  expect(engine.info.name).toBe('cpu');
  expect(reason).toContain("cuda was left out: its gradients differ from the CPU's by 10.0 %.");
  expect(reason).toContain('webgpu was left out');
});

test('times are measured once per machine, and again where the file that keeps them is damaged', async () => {
  await choose.chooseEngine(machine().options);
  const again = machine();
  expect((await choose.chooseEngine(again.options)).engine.info.name).toBe('cuda');
  expect(again.measured).toEqual([]);
  const other = machine({ machine: 'the same with a new driver' });
  await choose.chooseEngine(other.options);
  expect(other.measured).toEqual(['cpu', 'cuda', 'webgpu']);
  writeFileSync(join(folder, 'engine-times.json'), '{"a machine":{"cpu":');
  const damaged = machine();
  await choose.chooseEngine(damaged.options);
  expect(damaged.measured).toEqual(['cpu', 'cuda', 'webgpu']);
});

test('an engine that failed is not tried again by this process, but by the next', async () => {
  await choose.chooseEngine(machine({}, ['cuda']).options);
  const repaired = machine();
  expect((await choose.chooseEngine(repaired.options)).engine.info.name).toBe('webgpu');
  vi.resetModules();
  const next = await import('../../src-main/engine/choose.ts');
  expect((await next.chooseEngine(repaired.options)).engine.info.name).toBe('cuda');
  expect(repaired.measured).toEqual(['cuda']);
});

test('a measured engine that no longer opens leaves the next fastest', async () => {
  await choose.chooseEngine(machine().options);
  const { engine, reason } = await choose.chooseEngine(machine({}, ['cuda']).options);
  expect(engine.info.name).toBe('webgpu');
  expect(reason).toContain('cuda was left out: cuda does not start.');
});

test('a software rasterizer is no candidate, a graphics adapter is', () => {
  const adapter = { name: 'x', vendor: '', memory: null, software: true };
  expect(choose.candidatesFor([adapter])).toEqual([]);
  expect(choose.candidatesFor([{ ...adapter, software: false }])).toContain('webgpu');
  expect(choose.candidatesFor([{ ...adapter, software: false }])).not.toContain('cuda');
});
