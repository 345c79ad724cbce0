import type { Client, Task } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { methodName } from '../../src-shared/parts.ts';
import { onInterrupt } from './interrupt.ts';
import type { Progress } from './progress.ts';
import { seconds } from './text.ts';

/** Waits for a task; its result's id. Throws the task's error. */
export async function awaitTask(
  client: Client,
  start: () => Promise<Task>,
  progress: Progress,
): Promise<number> {
  // Events can arrive before the call that started the task has returned its id.
  const seen: Task[] = [];
  let notice = (_: Task) => {};
  const unsubscribe = client.on('task', (task) => {
    seen.push(task);
    notice(task);
  });
  try {
    const started = await start();
    let told: string | null = null;
    const ended = await new Promise<Task>((resolve) => {
      notice = (task) => {
        if (task.id !== started.id) return;
        if (task.status !== 'running') return resolve(task);
        if (task.waitsFor === null) progress.update(task.title, task.done, task.total);
        else if (task.waitsFor !== told) progress.say(waitsFor(task.waitsFor));
        told = task.waitsFor;
      };
      for (const task of [started, ...seen]) notice(task);
    });
    for (const note of ended.notes) progress.say(note);
    if (ended.status === 'finished' && ended.result !== null) return ended.result;
    throw errorOf(ended.error, `${ended.title} did not finish.`);
  } finally {
    unsubscribe();
    progress.end();
  }
}

/** Said where work waits for its turn. */
export const waitsFor = (what: string): string => `Waiting for ${what}.`;

/** Whether a run has come to an end, whatever that is. */
export const isOver = ({ status }: Run): boolean => status !== 'queued' && status !== 'running';

/** Follows a run to its end, whatever that is; the first interrupt stops it gracefully. Errors: as of `runEnd`. */
export async function awaitRun(client: Client, id: number, progress: Progress): Promise<Run> {
  const endMeter = openMeter(client, new Set([id]), progress);
  const endInterrupt = onInterrupt('Stopping after this step, with a checkpoint…', () =>
    client.call('runs.stop', { run: id }).catch((error: Error) => progress.say(error.message)),
  );
  try {
    return await runEnd(client, id);
  } finally {
    endInterrupt();
    endMeter();
  }
}

/** A run once it is over. Errors: `cancelled` where it is deleted meanwhile, `not-found`. */
export async function runEnd(client: Client, id: number): Promise<Run> {
  const ends: (() => void)[] = [];
  try {
    return await new Promise<Run>((resolve, reject) => {
      const look = (run: Run) => run.id === id && isOver(run) && resolve(run);
      ends.push(
        client.on('run', look),
        client.on('run.deleted', ({ run }) => {
          if (run === id) reject(new CotuneError('cancelled', `Run ${id} was deleted.`));
        }),
      );
      client.call('runs.get', { run: id }).then(look, reject);
    });
  } finally {
    for (const end of ends) end();
  }
}

/** Draws the progress of whichever of these runs is going on, until the function that it returns is called. */
export function openMeter(client: Client, mine: ReadonlySet<number>, progress: Progress): () => void {
  const labels = new Map<number, string>();
  let loss = '';
  let current = '';
  let since = 0;
  let first = 0;
  const ends = [
    client.on('run', ({ id, config }) =>
      labels.set(id, `run ${id} ${methodName(config.method)} rate ${config.rate} seed ${config.seed}`),
    ),
    client.on('run.metrics', ({ run, values }) => {
      if (mine.has(run) && values.loss !== undefined) loss = `loss ${values.loss.toFixed(3)}`;
    }),
    client.on('run.progress', ({ run, phase, done, total }) => {
      if (!mine.has(run)) return;
      if (current !== `${run} ${phase}`) {
        current = `${run} ${phase}`;
        since = Date.now();
        loss = '';
        first = done;
      }
      const elapsed = (Date.now() - since) / 1000;
      const left = ((total - done) * elapsed) / (done - first);
      const details = [
        phase === 'train' ? loss : '',
        elapsed > 5 && Number.isFinite(left) && left >= 1 ? `${seconds(left)} left` : '',
      ];
      const label = labels.get(run) ?? `run ${run}`;
      progress.update(`${label}: ${phase}`, done, total, details.filter(Boolean).join(', '));
    }),
  ];
  // One run or long job at a time has a data folder's device, whichever process it belongs to: say so where that means waiting.
  const waiting = setTimeout(async () => {
    const { holder } = await client.call('system.device', {}).catch(() => ({ holder: null }));
    const queued = await client.call('runs.list', { status: 'queued' }).catch(() => []);
    const own = queued.find(({ id }) => mine.has(id));
    if (holder && own && !(holder.run !== null && mine.has(holder.run)))
      progress.say(`Run ${own.id} waits for ${holder.title}.`);
  }, 1500);
  return () => {
    clearTimeout(waiting);
    for (const end of ends) end();
    progress.end();
  };
}

const errorOf = (error: Task['error'], otherwise: string): CotuneError =>
  error
    ? new CotuneError(error.code, error.message, error.hint)
    : new CotuneError('failed', otherwise, 'Try again; `cotune doctor` looks for problems.');
