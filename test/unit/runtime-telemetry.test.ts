import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const home = mkdtempSync(join(tmpdir(), 'cotune-telemetry-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const repository = fileURLToPath(new URL('../..', import.meta.url));
const ours = 'ORT_DISABLE_TELEMETRY';
/** By these the runtime takes a machine for one that tests: there it is silent without being told. */
const ofTestMachines = ['CI', 'TF_BUILD', 'GITHUB_ACTIONS', 'ORT_RUNNING_UNIT_TESTS'];

/** An addition by the runtime as the program loads it. */
const addition = `
  const { ort } = await import('./src-main/engine/run/session.ts');
  const { OnnxGraph } = await import('./src-main/engine/lower/onnx-graph.ts');
  const graph = new OnnxGraph();
  graph.named('sum', 'Add', ['x', 'x']);
  const spec = { shape: [1], dtype: 'float32' };
  const session = await ort.InferenceSession.create(graph.toBytes([{ name: 'x', ...spec }], [{ name: 'sum', ...spec }]));
  await session.run({ x: new ort.Tensor('float32', [1], [1]) });`;

// On Windows the runtime tells the system alone, and keeps nothing itself.
const isTellingItself = platform() !== 'win32';

test.runIf(isTellingItself)('the runtime keeps no events and no identifier of the machine', () => {
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, '.cache') };
  for (const variable of [ours, ...ofTestMachines]) delete env[variable];
  execFileSync(process.execPath, ['--input-type=module', '-e', addition], { cwd: repository, env });
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});

test.runIf(isTellingItself)('the runtime still knows the variable that silences it', () => {
  const folder = join(repository, 'node_modules/onnxruntime-node/bin/napi-v6', platform(), arch());
  const libraries = readdirSync(folder).filter((name) => name.startsWith('libonnxruntime.'));
  expect(libraries).not.toEqual([]);
  for (const name of libraries) expect(readFileSync(join(folder, name)).includes(ours), name).toBe(true);
});
