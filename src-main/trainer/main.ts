/**
 * A trainer process: jobs, one after another, until one does not finish or the service asks for the end. Speaks protocol.ts
 * over Node's IPC channel (child_process.fork) or Electron's parentPort (utilityProcess), and never outlives the process
 * that started it.
 */
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import { explainSystemError } from '../formats/system-error.ts';
import { prepareFor, runJob } from './jobs.ts';
import { keepEngine } from './kept-engine.ts';
import type { FromTrainer, Job, ToTrainer } from './protocol.ts';

/** The part of Electron's process.parentPort that is used here. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: ToTrainer }) => void): void;
  postMessage(message: FromTrainer): void;
}
const parentPort = (process as { parentPort?: ParentPort }).parentPort;

/** Progress in between is told this often, in milliseconds. */
const progressEvery = 100;

const engines = keepEngine();
/** Stops the job; undefined where there is none. */
let stopping: AbortController | undefined;
/** Takes no job any more. */
let leaving = false;
let unsent = 0;
let ended = false;

function send(message: FromTrainer): void {
  if (parentPort) {
    parentPort.postMessage(message);
    return;
  }
  unsent++;
  process.send!(message, () => {
    unsent--;
    leaveWhenSaid();
  });
}

function leaveWhenSaid(): void {
  if (ended && unsent === 0) process.exit(0);
}

let told = { phase: '', at: 0 };
function report(message: FromTrainer): void {
  if (message.type === 'progress') {
    const now = performance.now();
    const between = message.done > 0 && message.done < message.total;
    if (between && message.phase === told.phase && now - told.at < progressEvery) return;
    told = { phase: message.phase, at: now };
  }
  send(message);
}

function onMessage(message: ToTrainer): void {
  if (message.type === 'start') {
    if (!leaving) void work(message.job);
  } else if (message.type === 'expect') {
    // What fails here fails with the job again, which tells it.
    prepareFor(message.kind).catch(() => {});
  } else if (stopping) stopping.abort(new CotuneError('cancelled', 'Stopped on request.'));
  else void leave();
}

/** Without a word: a job that was sent meanwhile was not taken, and goes to another trainer. */
async function leave(): Promise<void> {
  leaving = true;
  await engines.dispose().finally(() => end(null));
}

async function work(job: Job): Promise<void> {
  stopping = new AbortController();
  told = { phase: '', at: 0 };
  const { signal } = stopping;
  try {
    await runJob(job, report, signal, engines);
    stopping = undefined;
    send({ type: 'ready' });
  } catch (error) {
    end(
      signal.aborted
        ? { type: 'stopped' }
        : { type: 'failed', error: toErrorValue(explainSystemError(error)) },
    );
  }
}

function end(message: FromTrainer | null): void {
  if (message) send(message);
  ended = true;
  // Electron's port has no word for "sent": leaving at the next turn lets it out.
  if (parentPort) setTimeout(() => process.exit(0), 100);
  else leaveWhenSaid();
}

if (!parentPort && !process.send) {
  process.stderr.write('This program is started by the service, not by hand. See `cotune --help`.\n');
  process.exit(2);
}
// Ctrl-C reaches the whole group; the service decides what it means and says so here.
process.on('SIGINT', () => {});
// A closing terminal and `timeout` end the whole group: the run stops with a checkpoint rather than die.
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onMessage({ type: 'stop' }));
if (parentPort) parentPort.on('message', (event) => onMessage(event.data));
else {
  process.on('message', onMessage);
  process.on('disconnect', () => process.exit(1));
}
send({ type: 'ready' });
