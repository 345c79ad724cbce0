import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  CallInput,
  CallName,
  CallOutput,
  ClientFrame,
  ServiceFrame,
} from '../../src-shared/contract.ts';

export type ToPage = { frame: ClientFrame } | { fetch: string } | { quit: true };
export type FromPage = { opened: string } | { frame: ServiceFrame } | ({ fetched: string } & Fetched);
export interface Fetched {
  status: number;
  type: string;
  body: Buffer;
}

export type App = Awaited<ReturnType<typeof startApp>>;

/**
 * Starts a packaged app, its archive unpacked into `folder`, and waits for its window. Rejects with what it wrote to stderr where
 * it ends before.
 */
export async function startApp(folder: string, home: string) {
  const child = fork(join(folder, 'dist/electron/main.js'), [`--home=${home}`], {
    cwd: folder,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--import', fileURLToPath(new URL('./stand-in.ts', import.meta.url))],
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const early = ended.then((code): never => {
    throw new Error(`The app ended with code ${code}: ${stderr}`);
  });
  early.catch(() => {});

  const calls = new Map<number, (frame: ServiceFrame) => void>();
  const requests = new Map<string, (answer: Fetched) => void>();
  const opened = new Promise<string>((resolve) => {
    child.on('message', (message: FromPage) => {
      if ('opened' in message) resolve(message.opened);
      else if ('fetched' in message) requests.get(message.fetched)?.(message);
      else if ('id' in message.frame) calls.get(message.frame.id)?.(message.frame);
    });
  });
  const say = (message: ToPage) => child.send(message);
  const url = await Promise.race([opened, early]);

  return {
    /** What its window shows. */
    url,
    async call<N extends CallName>(call: N, input: CallInput<N>): Promise<CallOutput<N>> {
      const id = calls.size + 1;
      const answer = new Promise<ServiceFrame>((resolve) => calls.set(id, resolve));
      say({ frame: { id, call, input } });
      const frame = await Promise.race([answer, early]);
      if ('output' in frame) return frame.output as CallOutput<N>;
      throw new Error(`${call}: ${JSON.stringify(frame)}`);
    },
    /** One request for an address at a time. */
    fetch(address: string): Promise<Fetched> {
      const answer = new Promise<Fetched>((resolve) => requests.set(address, resolve));
      say({ fetch: address });
      return Promise.race([answer, early]);
    },
    /** Quits as a person does; its exit code and what it wrote to stderr. */
    async quit() {
      say({ quit: true });
      return { code: await ended, stderr };
    },
    kill: () => child.kill('SIGKILL'),
  };
}
