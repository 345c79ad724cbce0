import type { Client, Task } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { onInterrupt } from './interrupt.ts';
import type { Progress } from './progress.ts';
import { seconds } from './text.ts';

/** Waits for an import or a relationship; its result's id. Throws the task's error. */
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
    const ended = await new Promise<Task>((resolve) => {
      notice = (task) => {
        if (task.id !== started.id) return;
        if (task.status === 'running') progress.update(task.title, task.done, task.total);
        else resolve(task);
      };
      for (const task of [started, ...seen]) notice(task);
    });
    if (ended.status === 'finished' && ended.result !== null) return ended.result;
    throw errorOf(ended.error, `${ended.title} did not finish.`);
  } finally {
    unsubscribe();
    progress.end();
  }
}

const isOver = ({ status }: Run): boolean => status !== 'queued' && status !== 'running';

/**
 * Follows a run to its end, whatever that is; the first interrupt stops it gracefully. Throws `cancelled` where the
 * run is deleted meanwhile.
 */
export async function awaitRun(client: Client, id: number, progress: Progress): Promise<Run> {
  const meter = openMeter(client, id, progress);
  const endInterrupt = onInterrupt('Stopping after this step, with a checkpoint…', () =>
    client.call('runs.stop', { run: id }).catch((error: Error) => progress.say(error.message)),
  );
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
    for (const end of [...ends, endInterrupt, meter]) end();
    progress.end();
  }
}

/** Draws a run's progress until the function that it returns is called. */
export function openMeter(client: Client, id: number, progress: Progress): () => void {
  let loss = '';
  let label = `run ${id}`;
  const ends = [
    client.on('run', (run) => {
      if (run.id === id) label = `run ${id} ${run.config.method} seed ${run.config.seed}`;
    }),
    client.on('run.metrics', ({ run, values }) => {
      if (run === id && values.loss !== undefined) loss = `loss ${values.loss.toFixed(3)}`;
    }),
  ];
  let phase = '';
  let phaseStart = 0;
  let firstDone = 0;
  ends.push(
    client.on('run.progress', (event) => {
      if (event.run !== id) return;
      if (event.phase !== phase) {
        phase = event.phase;
        phaseStart = Date.now();
        firstDone = event.done;
      }
      const elapsed = (Date.now() - phaseStart) / 1000;
      const left = ((event.total - event.done) * elapsed) / (event.done - firstDone);
      const details = [
        phase === 'train' ? loss : '',
        elapsed > 5 && Number.isFinite(left) && left >= 1 ? `${seconds(left)} left` : '',
      ];
      progress.update(`${label}: ${phase}`, event.done, event.total, details.filter(Boolean).join(', '));
    }),
  );
  // A home works on one run at a time: say so where another process is at work.
  const waiting = setTimeout(async () => {
    const runs = await client.call('runs.list', {}).catch(() => []);
    const ahead = runs.find((run) => run.status === 'running');
    if (ahead && ahead.id !== id && runs.find((run) => run.id === id)?.status === 'queued')
      progress.say(`Run ${id} waits for run ${ahead.id}, which another process works on.`);
  }, 1500);
  ends.push(() => clearTimeout(waiting));
  return () => {
    for (const end of ends) end();
  };
}

const errorOf = (error: Task['error'], otherwise: string): CotuneError =>
  error
    ? new CotuneError(error.code, error.message, error.hint)
    : new CotuneError('failed', otherwise, 'Try again; `cotune doctor` looks for problems.');
