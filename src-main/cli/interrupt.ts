import { CotuneError } from '../../src-shared/errors.ts';

/**
 * One Ctrl-C arrives several times: from the terminal to the whole process group, and once more from each launcher
 * above that forwards it. What comes within this time is the same one.
 */
const sameInterruptMs = 500;
const handlers: { saying: string; stop: () => void }[] = [];
let firstAt = 0;
let listening = false;

function onSignal(): void {
  const innermost = handlers.at(-1);
  if (firstAt !== 0) {
    if (Date.now() - firstAt > sameInterruptMs) process.exit(130);
  } else if (innermost) {
    firstAt = Date.now();
    process.stderr.write(`\n${innermost.saying} (once more to end at once)\n`);
    innermost.stop();
  } else process.exit(130);
}

/**
 * At the first interrupt the innermost handler says its sentence and stops its work; the second one ends the process
 * at once. Returns the handler's undoing.
 */
export function onInterrupt(saying: string, stop: () => void): () => void {
  if (!listening) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  listening = true;
  const handler = { saying, stop };
  handlers.push(handler);
  return () => void handlers.splice(handlers.indexOf(handler), 1);
}

/** The outcome of `work`, or `cancelled` at the first interrupt that no handler inside it takes. */
export async function interruptible<T>(work: Promise<T>): Promise<T> {
  let end = () => {};
  const interrupt = new Promise<never>((_, reject) => {
    end = onInterrupt('Stopping…', () => reject(new CotuneError('cancelled', 'Interrupted.')));
  });
  return Promise.race([work, interrupt]).finally(() => end());
}
