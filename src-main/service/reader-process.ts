import { CotuneError } from '../../src-shared/errors.ts';
import { type FromReader, fromFailure, memoryExitCode, type ReadRequest } from '../reader/protocol.ts';
import type { ProcessExit } from './spawn-process.ts';
import type { SpawnReader } from './spawn-reader.ts';

/** One file to read. */
export interface Piece {
  kind: ReadRequest['kind'];
  input: ReadRequest['input'];
  folder: string;
  /** Was under way with others when its reader died: it is read again with no other beside it. */
  alone: boolean;
  /** Hears what is told before the end. */
  hear(part: unknown): void;
  resolve(output: unknown): void;
  reject(error: Error): void;
}

export interface ReaderLimits {
  /** A piece that says nothing for longer ends its process. */
  timeMs: number;
  /** A process that takes more memory ends. */
  maxBytes: number;
}

export type ReaderProcess = ReturnType<typeof startReader>;

/**
 * One reader process. A piece that was to be read alone is what killed it, and is rejected with the reason. Of others
 * nobody knows which it was, or whether it was any: `onExit` gets them, to be read again alone.
 */
export function startReader(
  spawn: SpawnReader,
  folder: string,
  { timeMs, maxBytes }: ReaderLimits,
  onSettled: () => void,
  onExit: (suspects: Piece[]) => void,
) {
  const process = spawn(folder, maxBytes);
  const underWay = new Map<number, { piece: Piece; timer: NodeJS.Timeout }>();
  let unsent: ReadRequest[] | null = [];
  let next = 0;
  let tooLong = false;
  let ended: Error | undefined;

  process.onMessage((message: FromReader) => {
    if ('ready' in message) {
      for (const request of unsent ?? []) process.send(request);
      unsent = null;
      return;
    }
    const entry = underWay.get(message.id);
    if (!entry) return;
    if ('part' in message) {
      entry.timer.refresh();
      entry.piece.hear(message.part);
      return;
    }
    clearTimeout(entry.timer);
    underWay.delete(message.id);
    if ('failure' in message) entry.piece.reject(fromFailure(message.failure));
    else entry.piece.resolve(message.output);
    onSettled();
  });

  const exited = new Promise<void>((resolve) =>
    process.onExit((exit) => {
      const pieces = [...underWay.values()].map(({ piece, timer }) => {
        clearTimeout(timer);
        return piece;
      });
      underWay.clear();
      const reason = tooLong ? `took longer than ${timeMs / 1000} s` : reasonOf(exit, maxBytes);
      const refuse = ended ?? (unsent ? neverStarted(exit) : undefined);
      const suspects = refuse ? [] : pieces.filter((piece) => !piece.alone);
      for (const piece of pieces) {
        if (!suspects.includes(piece))
          piece.reject(refuse ?? new Error(`the process that read it ${reason}`));
      }
      onExit(suspects);
      resolve();
    }),
  );

  return {
    exited,
    get size() {
      return underWay.size;
    },
    get takenAlone() {
      return [...underWay.values()].some(({ piece }) => piece.alone);
    },
    give(piece: Piece): void {
      const id = next++;
      const timer = setTimeout(() => {
        tooLong = true;
        process.kill();
      }, timeMs);
      underWay.set(id, { piece, timer });
      const request = { id, kind: piece.kind, input: piece.input };
      if (unsent) unsent.push(request);
      else process.send(request);
    },
    /** Ends it; what it is reading is rejected with `error`. */
    end(error: Error): void {
      ended = error;
      process.kill();
    },
  };
}

/** Why a reader ended, as the end of a sentence. */
function reasonOf({ code, signal, stderr }: ProcessExit, maxBytes: number): string {
  const outOfMemory = code === memoryExitCode || /heap out of memory|std::bad_alloc/i.test(stderr);
  if (outOfMemory) return `took more than ${(maxBytes / 2 ** 30).toFixed(1)} GiB of memory`;
  if (signal === 'SIGKILL') return 'was killed, by hand or by the system because memory ran out';
  return `crashed (${signal ?? `exit code ${code}`})`;
}

const neverStarted = ({ code, signal, stderr }: ProcessExit): CotuneError =>
  new CotuneError(
    'unavailable',
    `The process that reads files could not be started (${signal ?? code}): ${stderr.split('\n').findLast((line) => line.trim()) ?? ''}`,
    'Install the program again; `npm run setup` in a clone.',
  );
