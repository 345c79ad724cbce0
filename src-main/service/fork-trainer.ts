import { fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FromTrainer } from '../trainer/protocol.ts';
import type { SpawnTrainer, TrainerExit } from './spawn-trainer.ts';

const stderrKept = 8_000;

/**
 * SpawnTrainer over a Node child process. Messages are structured clones, so typed arrays travel as they are.
 * `entry` is the trainer's program; its stdout goes nowhere, since stdout belongs to the caller's own output.
 */
export function forkTrainer(
  entry: string = fileURLToPath(new URL('../trainer/main.ts', import.meta.url)),
): SpawnTrainer {
  return () => {
    const child = fork(entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...compileCache(), ...process.env, ...hugePages() },
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-stderrKept);
    });
    let failure = '';
    child.on('error', (error) => {
      failure = error.message;
    });
    return {
      get pid() {
        return child.pid;
      },
      send(message) {
        if (message.type === 'start') stderr = '';
        // A trainer that is gone answers by its exit, which is handled there.
        if (child.connected) child.send(message, () => {});
      },
      onMessage(listener) {
        child.on('message', (message) => listener(message as FromTrainer));
      },
      onExit(listener) {
        let told = false;
        const tell = (exit: TrainerExit) => {
          if (!told) listener(exit);
          told = true;
        };
        // `close` comes after the pipes are drained: all of stderr is known by then.
        child.on('close', (code, signal) => tell({ code, signal, stderr: (stderr + failure).trim() }));
        child.on('error', (error) => {
          if (child.pid === undefined) tell({ code: null, signal: null, stderr: error.message });
        });
      },
      kill() {
        child.kill('SIGKILL');
      },
    };
  };
}

/**
 * Linux gives large blocks huge pages only where they are asked for, which glibc does when told so at start: a training
 * step walks through gigabytes and spends a tenth of its time on small pages' translations (docs/performance.md).
 */
function hugePages(): NodeJS.ProcessEnv {
  if (process.platform !== 'linux') return {};
  const given = process.env.GLIBC_TUNABLES;
  if (given?.includes('glibc.malloc.hugetlb')) return {};
  return { GLIBC_TUNABLES: [given, 'glibc.malloc.hugetlb=1'].filter(Boolean).join(':') };
}

/** Compiled modules outlive the process, in Node's usual place: a trainer starts in two thirds of the time. */
const compileCache = (): NodeJS.ProcessEnv => ({ NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') });
