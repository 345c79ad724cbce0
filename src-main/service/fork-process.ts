import { fork } from 'node:child_process';
import type { ProcessExit, ServiceProcess } from './spawn-process.ts';

const stderrKept = 8_000;

export interface ForkOptions<To> {
  /** The whole environment of the process. */
  env: NodeJS.ProcessEnv;
  args?: string[];
  /** Flags of Node's, e.g. what the process may do. */
  flags?: string[];
  /** Whether a message begins a piece of work, so that what was written to stderr before it no longer counts. */
  begins?: (message: To) => boolean;
}

/**
 * Starts `entry` as a Node child process. Messages are structured clones, so typed arrays travel as they are. Its stdout
 * goes nowhere, since stdout belongs to the caller's own output.
 */
export function forkProcess<To, From>(
  entry: string,
  { env, args = [], flags = [], begins }: ForkOptions<To>,
): ServiceProcess<To, From> {
  const child = fork(entry, args, {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning', ...flags],
    env,
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
      if (begins?.(message)) stderr = '';
      // A process that is gone answers by its exit, which is handled there.
      if (child.connected) child.send(message as object, () => {});
    },
    onMessage(listener) {
      child.on('message', (message) => listener(message as From));
    },
    onExit(listener) {
      let told = false;
      const tell = (exit: ProcessExit) => {
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
}
