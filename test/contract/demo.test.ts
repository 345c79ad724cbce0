import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'cotune demo '));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** The demo with a budget that only shows that everything hangs together. */
const small = ['--seeds', '1', '--steps', '3', '--test-pictures', '2'];

function demo(...options: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['src-main/cli/demo.ts', '--home', home, ...options]);
  const heard = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    heard.stdout += text;
  });
  child.stderr.on('data', (text) => {
    heard.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...heard }));
  });
}

test('the demo draws, learns, trains both methods, compares, and says how to look at it', async () => {
  const { code, stdout, stderr } = await demo(...small);
  expect(stderr).toContain('Drawing pictures');
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^Fine-tuning +\d/m);
  expect(stdout).toMatch(/^Co-tuning +\d/m);
  expect(stdout).toMatch(/^dusk emperor +(\w+ \w+\*? 0\.\d\d *){3}$/m);
  expect(stdout).toMatch(/The strongest source is kin for \d+ % of the targets/);
  expect(stdout).toContain(`npm start -- --home "${home}"`);
});

test('a second demo in the same folder finds its pictures, network and relationship there', async () => {
  const { code, stdout, stderr } = await demo(...small, '--json');
  expect(stderr).not.toContain('Drawing pictures');
  expect(code, stderr).toBe(0);
  const { kin, comparison, relationship } = JSON.parse(stdout);
  expect(relationship).toBe(1);
  expect(comparison.groups.map(({ method }: { method: string }) => method).sort()).toEqual([
    'cotuning',
    'finetune',
  ]);
  // Chance would be 4 to 5 kin among 48 source categories.
  expect(kin.top).toBeGreaterThan(0.6);
});

test('an option that makes no sense ends the demo with exit code 2 and a reason', async () => {
  const { code, stderr } = await demo('--seeds', '0');
  expect(code).toBe(2);
  expect(stderr).toMatch(/seeds/);
});
