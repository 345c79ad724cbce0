/**
 * Reading of files that may come from anywhere, in processes of their own (reader/main.ts): one for each folder that is read
 * from, started on demand, ended when idle. A file that ends its process is rejected with the reason; what was read
 * beside it is read again.
 */
import { availableParallelism, totalmem } from 'node:os';
import { CotuneError } from '../../src-shared/errors.ts';
import type { ReadingInput, ReadingName, ReadingOutput, ReadingPart } from '../reader/readings/index.ts';
import { type Piece, type ReaderLimits, type ReaderProcess, startReader } from './reader-process.ts';
import type { SpawnReader } from './spawn-reader.ts';

export interface Reader {
  /**
   * Reads something below `folder`, an absolute path; `hear` is told what the reading says before its end, again from the
   * beginning where it had to begin again. Errors: those of the reading; an `Error` with the reason where the
   * file ended its process; `unavailable` where no process can be started; `cancelled` after `close`.
   */
  read<K extends ReadingName>(
    kind: K,
    input: ReadingInput<K>,
    folder: string,
    hear?: (part: ReadingPart<K>) => void,
  ): Promise<ReadingOutput<K>>;
  close(): Promise<void>;
}

/** One file more than there are processors, so that one is being loaded while others are decoded. */
const atOnce = availableParallelism() + 1;
const maxProcesses = 4;

const usual: ReaderLimits & { idleMs: number } = {
  timeMs: 60_000,
  // The largest images that are accepted take 2 GiB where their format has to be decoded as a whole.
  maxBytes: Math.min(4 * 2 ** 30, totalmem() / 2),
  idleMs: 20_000,
};

export function openReader(spawn: SpawnReader, given: Partial<typeof usual> = {}): Reader {
  const limits = { ...usual, ...given };
  const waiting: Piece[] = [];
  /** By folder; the one used last stands last. */
  const processes = new Map<string, ReaderProcess>();
  const idleTimers = new Map<ReaderProcess, NodeJS.Timeout>();
  /** Processes that are not gone yet, those on their way out among them. */
  let alive = 0;
  let closed = false;

  const underWay = (): number => [...processes.values()].reduce((sum, { size }) => sum + size, 0);

  function pump(): void {
    /** Folders whose process has to come to rest first, for a piece that is read alone. */
    const held = new Set<string>();
    for (let i = 0; i < waiting.length && underWay() < atOnce; ) {
      const piece = waiting[i];
      const process = processes.get(piece.folder);
      const rests = !process || process.size === 0;
      if (held.has(piece.folder) || process?.takenAlone || (piece.alone && !rests)) held.add(piece.folder);
      else if (process || makeRoom()) {
        waiting.splice(i, 1);
        use(piece.folder).give(piece);
        continue;
      }
      i++;
    }
  }

  /** Whether one more process may be started; the one that nobody waits for the longest makes way. */
  function makeRoom(): boolean {
    if (alive < maxProcesses) return true;
    // One is on its way out already; its end comes back here.
    if (processes.size < alive) return false;
    const awaited = new Set(waiting.map(({ folder }) => folder));
    const [folder, idle] = [...processes].find(([name, { size }]) => size === 0 && !awaited.has(name)) ?? [];
    if (idle) end(folder!, idle);
    return false;
  }

  function use(folder: string): ReaderProcess {
    const process = processes.get(folder) ?? start(folder);
    processes.delete(folder);
    processes.set(folder, process);
    clearTimeout(idleTimers.get(process));
    return process;
  }

  function start(folder: string): ReaderProcess {
    alive++;
    const process = startReader(
      spawn,
      folder,
      limits,
      () => {
        if (process.size === 0) rest(folder, process);
        pump();
      },
      (suspects) => {
        alive--;
        clearTimeout(idleTimers.get(process));
        idleTimers.delete(process);
        if (processes.get(folder) === process) processes.delete(folder);
        waiting.unshift(...suspects.map((piece) => ({ ...piece, alone: true })));
        if (closed) refuseWaiting();
        else pump();
      },
    );
    return process;
  }

  function rest(folder: string, process: ReaderProcess): void {
    clearTimeout(idleTimers.get(process));
    idleTimers.set(process, setTimeout(() => end(folder, process), limits.idleMs).unref());
  }

  /** No piece goes to it any more. */
  function end(folder: string, process: ReaderProcess): void {
    processes.delete(folder);
    process.end(closedError());
  }

  function refuseWaiting(): void {
    for (const piece of waiting.splice(0)) piece.reject(closedError());
  }

  return {
    read(kind, input, folder, hear = () => {}) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(closedError());
        waiting.push({
          kind,
          input,
          folder,
          alone: false,
          hear: hear as Piece['hear'],
          resolve: resolve as Piece['resolve'],
          reject,
        });
        pump();
      });
    },
    async close() {
      closed = true;
      refuseWaiting();
      const ending = [...processes];
      for (const [folder, process] of ending) end(folder, process);
      await Promise.all(ending.map(([, { exited }]) => exited));
    },
  };
}

const closedError = (): CotuneError =>
  new CotuneError('cancelled', 'The service was closed before this was read.');
