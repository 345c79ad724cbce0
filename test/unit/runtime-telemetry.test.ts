import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'cotune-telemetry-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** What the runtime takes for a test machine, where it tells nothing of itself. */
const testMachine = ['CI', 'TF_BUILD', 'GITHUB_ACTIONS', 'ORT_RUNNING_UNIT_TESTS', 'ORT_DISABLE_TELEMETRY'];

/** What a process leaves in a person's own folder that runs one addition, with the runtime as `load` has it. */
function leftBehind(name: string, load: string): string[] {
  const home = mkdtempSync(join(root, `${name}-`));
  const program = `
    ${load}
    const { OnnxGraph } = await import('./src-main/engine/lower/onnx-graph.ts');
    const graph = new OnnxGraph();
    graph.named('sum', 'Add', ['x', 'x']);
    const spec = { shape: [1], dtype: 'float32' };
    const session = await ort.InferenceSession.create(graph.toBytes([{ name: 'x', ...spec }], [{ name: 'sum', ...spec }]));
    await session.run({ x: new ort.Tensor('float32', [1], [1]) });`;
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, '.cache') };
  for (const variable of testMachine) delete env[variable];
  execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: repository, env });
  return readdirSync(home, { recursive: true, encoding: 'utf8' });
}

// Windows has a person's folders in other variables, and the runtime tells Windows alone.
test.skipIf(process.platform === 'win32')('the runtime keeps no events and no identifier of the machine', () => {
  const asShipped = `
    import { createRequire } from 'node:module';
    const ort = createRequire('${repository}package.json')('onnxruntime-node');`;
  // Else the test below could not fail.
  expect(leftBehind('shipped', asShipped).some((path) => path.endsWith('deviceid'))).toBe(true);
  const ours = `const { ort } = await import('./src-main/engine/run/session.ts');`;
  expect(leftBehind('ours', ours)).toEqual([]);
});
