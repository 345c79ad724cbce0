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
      env: trainerEnvironment(),
      begins: (message) => message.type === 'start',
    });
}

/** The environment that a trainer is started with. */
export const trainerEnvironment = (): NodeJS.ProcessEnv => ({
  ...compileCache(),
  ...process.env,
  ...memoryTunables(),
});

/**
 * How glibc keeps a trainer's memory, told at start (docs/performance.md). Linux gives large blocks huge pages only where they are asked
 * for: a training step walks through gigabytes and spends a tenth of its time on small pages' translations. And what is as large as such
 * a page goes back when it is freed, as weights are while an evaluation is lowered: by itself glibc soon keeps blocks of up to 32 MiB.
 */
const tunables = { 'glibc.malloc.hugetlb': 1, 'glibc.malloc.mmap_threshold': 2 ** 21 };

function memoryTunables(): NodeJS.ProcessEnv {
  if (process.platform !== 'linux') return {};
  const given = process.env.GLIBC_TUNABLES;
  const wanted = Object.entries(tunables).filter(([name]) => !given?.includes(name));
  return { GLIBC_TUNABLES: [given, ...wanted.map((tunable) => tunable.join('='))].filter(Boolean).join(':') };
}

/** Compiled modules outlive the process, in Node's usual place: a trainer starts in two thirds of the time. */
const compileCache = (): NodeJS.ProcessEnv => ({ NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') });
