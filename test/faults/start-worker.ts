import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Said, Work } from './worker.ts';

const program = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** Starts a worker; all that it says is kept. */
export function startWorker(home: string, work: Work) {
  const child = spawn(process.execPath, [program, home, JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Said[] = [];
  let rest = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const wakeAll = () => {
    for (const wake of waiting) wake();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    said.push(...lines.map((line): Said => JSON.parse(line)));
    wakeAll();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(() => {
    wakeAll();
    return { code: child.exitCode, signal: child.signalCode, stderr };
  });
  return {
    pid: child.pid!,
    ended,
    ids: (type: 'run' | 'deleted') => said.flatMap((one) => (one.type === type ? [one.id] : [])),
    troubles: () => said.flatMap((one) => (one.type === 'trouble' ? [one.message] : [])),
    /** Resolves when it has said so, or has ended. */
    async hears(type: Said['type']): Promise<void> {
      while (!said.some((one) => one.type === type) && child.exitCode === null && child.signalCode === null)
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
