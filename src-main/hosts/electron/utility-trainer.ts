import { fileURLToPath } from 'node:url';
import { utilityProcess } from 'electron';
import type { SpawnTrainer } from '../../service/spawn-trainer.ts';
import type { FromTrainer } from '../../trainer/protocol.ts';

const stderrKept = 8_000;
const entry = fileURLToPath(new URL('../../trainer/main.ts', import.meta.url));

/** SpawnTrainer over Electron's utility process: a Node process that needs no `runAsNode`. */
export const spawnUtilityTrainer: SpawnTrainer = () => {
  const child = utilityProcess.fork(entry, [], {
    serviceName: 'Cotuning Studio trainer',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrKept);
  });
  child.on('error', (type, location) => {
    stderr += `\n${type} at ${location}`;
  });
  let gone = false;
  child.once('exit', () => {
    gone = true;
  });
  return {
    get pid() {
      return child.pid;
    },
    send(message) {
      if (message.type === 'start') stderr = '';
      if (!gone) child.postMessage(message);
    },
    onMessage(listener) {
      child.on('message', (message: FromTrainer) => listener(message));
    },
    onExit(listener) {
      child.once('exit', (code) => listener({ code, signal: null, stderr: stderr.trim() }));
    },
    kill() {
      // utilityProcess.kill() asks with SIGTERM; this has to end a process that does not listen.
      if (child.pid !== undefined && !gone) process.kill(child.pid, 'SIGKILL');
    },
  };
};
