import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src-main/store/store.ts';
import { newRun } from './store-rows.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-store-'));
  path = join(folder, 'cotune.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a damaged file', () => {
  test('that is no database is refused with what to do, and left as it was', () => {
    writeFileSync(path, 'these are not the bytes you are looking for'.repeat(200));
    const before = readFileSync(path);
    let error: unknown;
    try {
      openStore(path);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'unavailable' });
    expect((error as { hint: string }).hint).toMatch(/backup/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('whose pages are overwritten is refused and left as it was', () => {
    const store = openStore(path);
    for (let i = 0; i < 50; i++) store.runs.insert(newRun(store));
    store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xab, 4096);
    writeFileSync(path, bytes);
    expect(() => openStore(path)).toThrow(/damaged/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});

test('a process killed in the middle of a transaction leaves what was committed before and nothing of it', async () => {
  const store = openStore(path);
  const run = store.runs.insert(newRun(store));
  store.metrics.insert(run, 1, { loss: 1 });
  store.close();
  const module = new URL('../../src-main/store/store.ts', import.meta.url).href;
  const script = `
    const { openStore } = await import(${JSON.stringify(module)});
    const store = openStore(${JSON.stringify(path)});
    store.metrics.insert(${run}, 2, { loss: 2 });
    store.transaction(() => {
      for (let step = 3; step < 5000; step++) store.metrics.insert(${run}, step, { loss: step });
      process.stdout.write('written');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const reopened = openStore(path);
  expect(reopened.metrics.after(run, -1)).toEqual({
    loss: [
      { step: 1, value: 1 },
      { step: 2, value: 2 },
    ],
  });
  reopened.close();
});

test('a reader is not kept waiting by a writer, and sees what was committed', () => {
  const writer = openStore(path);
  const reader = openStore(path);
  const run = writer.runs.insert(newRun(writer));
  writer.transaction(() => {
    writer.runs.progress(run, 'train', 5, 10, 5);
    const before = performance.now();
    expect(reader.runs.get(run)?.step).toBe(0);
    // A blocked reader would wait out the busy timeout of ten seconds.
    expect(performance.now() - before).toBeLessThan(2000);
  });
  expect(reader.runs.get(run)?.step).toBe(5);
  writer.close();
  reader.close();
});

test('two processes that read and write the same rows at once wait for each other', async () => {
  const store = openStore(path);
  const run = store.runs.insert(newRun(store));
  const module = new URL('../../src-main/store/store.ts', import.meta.url).href;
  const script = `
    const { openStore } = await import(${JSON.stringify(module)});
    const store = openStore(${JSON.stringify(path)});
    process.stdout.write('open');
    for (let i = 0; i < 3000; i++) {
      store.runs.update(${run}, { splitHash: 'theirs ' + i });
      store.metrics.insert(${run}, i, { loss: i });
    }
    store.close();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  for (let i = 0; i < 3000; i++) {
    store.runs.update(run, { modelHash: `mine ${i}` });
    store.metrics.insert(run, 10_000 + i, { loss: i });
  }
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(store.metrics.after(run, -1).loss).toHaveLength(6000);
  expect(store.runs.get(run)).toMatchObject({ modelHash: 'mine 2999', splitHash: 'theirs 2999' });
  store.close();
});
