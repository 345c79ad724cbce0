import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { CotuneError, type ErrorValue } from '../../src-shared/errors.ts';
import type { BatchRequest, MadeImages } from './make-images.ts';

interface Answer {
  id: number;
  made?: MadeImages;
  error?: ErrorValue;
}

interface Thread {
  worker: Worker;
  waiting: Map<number, { resolve: (made: MadeImages) => void; reject: (error: Error) => void }>;
}

/** One thread keeps a processor's training fed; a fast GPU needs several. */
export const poolSize = Math.min(8, Math.max(1, availableParallelism() >> 1));

const threads: Thread[] = [];
let requests = 0;

/**
 * Makes a batch in a thread, the one with the least to do. Threads start when they are first needed, serve the whole
 * process and do not keep it alive. Rejects where the thread itself fails.
 */
export function makeImagesInThread(request: BatchRequest): Promise<MadeImages> {
  const thread = chooseThread();
  const id = ++requests;
  return new Promise((resolve, reject) => {
    thread.waiting.set(id, { resolve, reject });
    thread.worker.ref();
    thread.worker.postMessage({ id, request });
  });
}

function chooseThread(): Thread {
  const idle = threads.find(({ waiting }) => waiting.size === 0);
  if (idle) return idle;
  if (threads.length < poolSize) return startThread();
  return threads.reduce((least, thread) => (thread.waiting.size < least.waiting.size ? thread : least));
}

function startThread(): Thread {
  const worker = new Worker(new URL('./augment-worker.ts', import.meta.url));
  const thread: Thread = { worker, waiting: new Map() };
  threads.push(thread);
  worker.unref();
  worker.on('message', ({ id, made, error }: Answer) => {
    const call = thread.waiting.get(id);
    thread.waiting.delete(id);
    if (thread.waiting.size === 0) worker.unref();
    if (made) call?.resolve(made);
    else call?.reject(new CotuneError(error!.code, error!.message, error!.hint));
  });
  const end = (reason: string) => {
    const index = threads.indexOf(thread);
    if (index >= 0) threads.splice(index, 1);
    const error = new CotuneError('failed', `The thread that prepares images ended: ${reason}.`);
    for (const { reject } of thread.waiting.values()) reject(error);
    thread.waiting.clear();
  };
  worker.on('error', (error) => end(error.message));
  worker.on('exit', (code) => end(`exit code ${code}`));
  return thread;
}
