import { utilityProcess } from 'electron';
import type { ServiceProcess } from '../../service/spawn-process.ts';

const stderrKept = 8_000;

export interface UtilityOptions<To> {
  /** As the system's list of processes shows it. */
  name: string;
  args?: string[];
  /** Whether a message begins a piece of work, so that what was written to stderr before it no longer counts. */
  begins?: (message: To) => boolean;
}

/** Starts `entry` as Electron's utility process: a Node process that needs no `runAsNode`. */
export function forkUtility<To, From>(
  entry: string,
  { name, args = [], begins }: UtilityOptions<To>,
): ServiceProcess<To, From> {
  const child = utilityProcess.fork(entry, args, { serviceName: name, stdio: ['ignore', 'ignore', 'pipe'] });
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
      if (begins?.(message)) stderr = '';
      if (!gone) child.postMessage(message);
    },
    onMessage(listener) {
      child.on('message', (message: From) => listener(message));
    },
    onExit(listener) {
      child.once('exit', (code) => listener({ code, signal: null, stderr: stderr.trim() }));
    },
    kill() {
      // utilityProcess.kill() asks with SIGTERM; this has to end a process that does not listen.
      if (child.pid !== undefined && !gone) process.kill(child.pid, 'SIGKILL');
    },
  };
}
