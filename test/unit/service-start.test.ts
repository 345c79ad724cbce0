import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const service = new URL('../../src-main/service/service.ts', import.meta.url);

/** Packages that a Node process has loaded once it has imported the service. */
function packagesAtStart(): string[] {
  const program = `
    import { createRequire } from 'node:module';
    await import('${service.href}');
    console.log(JSON.stringify(Object.keys(createRequire('${service.href}').cache)));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  });
  return JSON.parse(printed);
}

test('what computes is not loaded where a service starts: it would take longer than everything else', () => {
  const loaded = packagesAtStart();
  expect(loaded.some((path) => path.includes('better-sqlite3'))).toBe(true);
  expect(loaded.filter((path) => /@tensorflow|onnxruntime/.test(path))).toEqual([]);
});
