import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { endProcess, identify, isAlive, processId } from '../../src-main/service/process-identity.ts';

test('a process is alive until it ends, and another with its id is not taken for it', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  await once(child, 'spawn');
  const identity = identify(child.pid!);
  expect(processId(`${identity}#mine`)).toBe(child.pid);
  expect(isAlive(`${identity}#mine`)).toBe(true);
  expect(isAlive(`${child.pid}@another boot:1`)).toBe(process.platform === 'win32');
  endProcess(`${child.pid}@another boot:1`);
  expect(child.exitCode ?? child.signalCode).toBeNull();
  endProcess(identity);
  await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  expect(isAlive(identity)).toBe(false);
});
