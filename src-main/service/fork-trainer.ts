import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forkProcess } from './fork-process.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';

/** SpawnTrainer over a Node child process. `entry` is the trainer's program. */
export function forkTrainer(
  entry: string = fileURLToPath(new URL('../trainer/main.ts', import.meta.url)),
): SpawnTrainer {
  return () =>
    forkProcess(entry, {
      env: { ...compileCache(), ...process.env, ...hugePages() },
      begins: (message) => message.type === 'start',
    });
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
