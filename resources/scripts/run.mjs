// The one door of every npm script: sets up what is missing, then runs the task under the project's own Node.
// Plain JavaScript without dependencies: it must run on any Node ≥ 20.19 before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const windows = process.platform === 'win32';
const node = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
const stamp = join(root, 'node_modules', '.cotune-setup');

/** Runs a command to its end; a failure ends this process with the same exit code. */
function run(command, args, env = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: windows && command === 'npm',
  });
  if (result.error) {
    console.error(`${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.signal) process.kill(process.pid, result.signal);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Installs the locked dependencies unless this very lock file is installed already. */
function setup() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && existsSync(node)) return;
  process.stderr.write('Setting up: installing the locked dependencies (once)…\n');
  // No package's install script runs but node's, which links its binary: better-sqlite3 would be compiled although its tarball
  // holds the binary, and ONNX Runtime would fetch CUDA libraries.
  for (const command of [
    ['ci', '--ignore-scripts'],
    ['rebuild', 'node'],
  ]) {
    // npm's own output goes to stderr, so that stdout stays the task's.
    const result = spawnSync('npm', [...command, '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, NODE_ENV: 'development' },
      shell: windows,
    });
    if (result.status === 0) continue;
    console.error(
      `npm ${command.join(' ')} failed; see above. A network or a filled npm cache is needed for the first set-up.`,
    );
    process.exit(1);
  }
  if (!existsSync(node)) {
    console.error(
      `The npm package "node" did not bring its binary to ${node}. Delete node_modules and try again.`,
    );
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}

const bin = (path) => join(root, 'node_modules', path);
/**
 * A script under the project's Node, which also leads PATH so that child processes find it. They, and whatever they start, find
 * their modules compiled, where `cotune` and the trainers keep them, too.
 */
const script = (path, ...args) => run(node, [path, ...args], scriptEnv);
const scriptEnv = {
  NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
  PATH: `${join(root, 'node_modules', '.bin')}${windows ? ';' : ':'}${process.env.PATH}`,
};

/** Runs scripts two at a time; what each has to say comes whole, and the first that failed ends this process with its exit code. */
async function together(scripts) {
  const waiting = [...scripts];
  const worker = async () => {
    for (let args = waiting.shift(); args; args = waiting.shift()) {
      const child = spawn(node, args, {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...scriptEnv },
      });
      const said = [];
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => said.push(data));
      const [status] = await once(child, 'close');
      process.stdout.write(Buffer.concat(said));
      if (status !== 0) process.exit(status ?? 1);
    }
  };
  await Promise.all([worker(), worker()]);
}

const renderer = [
  bin('vite/bin/vite.js'),
  'build',
  '--config',
  'src-renderer/vite.config.ts',
  '--logLevel',
  'warn',
];
const buildRenderer = () => script(...renderer);

/** The slowest first. */
const checks = [
  [bin('typescript/bin/tsc'), '-p', '.'],
  [
    bin('svelte-check/bin/svelte-check'),
    ...['--tsconfig', 'src-renderer/tsconfig.json', '--output', 'human', '--fail-on-warnings'],
  ],
  [
    bin('dependency-cruiser/bin/dependency-cruiser.mjs'),
    ...['--config', '.dependency-cruiser.cjs', 'src-main', 'src-shared', 'src-renderer'],
  ],
  [bin('knip/bin/knip.js'), '--no-progress'],
  [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings'],
];

const [task, ...args] = process.argv.slice(2);
const tasks = {
  setup() {},
  demo: () => script('src-main/cli/demo.ts', ...args),
  check: () => together(checks),
  build: buildRenderer,
  start() {
    buildRenderer();
    script('src-main/cli/start.ts', ...args);
  },
  async test() {
    await together([...checks, renderer]);
    script(bin('vitest/vitest.mjs'), 'run', ...args);
  },
  'test:faults': () => script('test/faults/main.ts', ...args),
  dist() {
    buildRenderer();
    script('resources/scripts/dist.ts', ...args);
  },
  docs: () => {
    script('resources/scripts/methods-page.ts');
    script('resources/scripts/formats-page.ts');
  },
  'sample:pretrain': () => script('src-main/sample/pretrain.ts', ...args),
  'text:pretrain': () => script('src-main/text/pretrain.ts', ...args),
};

if (!Object.hasOwn(tasks, task)) {
  console.error(`usage: node resources/scripts/run.mjs ${Object.keys(tasks).join(' | ')}`);
  process.exit(2);
}
setup();
await tasks[task]();
