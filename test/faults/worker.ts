/**
 * A service in a process of its own, which is killed: opens the home, does the work that is named, and says what it has
 * promised, one JSON line each. Usage: worker.ts HOME WORK-AS-JSON.
 */
import { forkTrainer } from '../../src-main/service/fork-trainer.ts';
import { openService } from '../../src-main/service/service.ts';
import type { RunRequest } from '../../src-shared/contract.ts';
import { toErrorValue } from '../../src-shared/errors.ts';
import { fakeTrainer, finishRun, finishTask } from '../contract/fixture.ts';

export type Work =
  | { kind: 'runs'; requests: RunRequest[]; trainer?: 'real' }
  | { kind: 'import'; path: string; name: string }
  | { kind: 'relationship'; seed: number }
  | { kind: 'export'; run: number; format: 'csv' | 'safetensors'; path: string }
  | { kind: 'delete'; run: number }
  | { kind: 'open' }
  /** Does many things at once for a while, as other processes do the same. */
  | { kind: 'everything'; seed: number; ms: number; requests: RunRequest[]; path: string };

export type Said =
  | { type: 'opening' }
  | { type: 'open' }
  | { type: 'run'; id: number }
  | { type: 'evaluating' }
  | { type: 'deleted'; id: number }
  | { type: 'trouble'; message: string }
  | { type: 'done' };

const [home, text] = process.argv.slice(2);
const work: Work = JSON.parse(text);
const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`);

say({ type: 'opening' });
const isReal = work.kind === 'runs' && work.trainer === 'real';
const service = await openService({ home, spawnTrainer: isReal ? forkTrainer() : fakeTrainer, queue: 'all' });
say({ type: 'open' });
service.on('run.progress', ({ phase }) => phase === 'evaluate' && say({ type: 'evaluating' }));
await perform();
say({ type: 'done' });
await service.close();

async function perform(): Promise<void> {
  switch (work.kind) {
    case 'open':
      return;
    case 'runs': {
      const runs = [];
      for (const request of work.requests) {
        const run = await service.call('runs.start', request);
        say({ type: 'run', id: run.id });
        runs.push(run.id);
      }
      for (const run of runs) await finishRun(service, run);
      return;
    }
    case 'import':
      await finishTask(service, await service.call('datasets.import', { path: work.path, name: work.name }));
      return;
    case 'relationship': {
      const names = { dataset: 'insects', model: 'tiny', rate: 1, seed: work.seed } as const;
      const task = await service.call('relationships.learn', { ...names, approach: 'direct', engine: 'cpu' });
      await finishTask(service, task);
      return;
    }
    case 'export':
      await service.call('runs.export', work);
      return;
    case 'delete':
      await service.call('runs.delete', { run: work.run });
      return;
    case 'everything':
      return everything(work);
  }
}

async function everything({
  seed,
  ms,
  requests,
  path,
}: Extract<Work, { kind: 'everything' }>): Promise<void> {
  let state = seed * 7919 + 1;
  const below = (count: number) => {
    state = (state * 16807) % 2147483647;
    return state % count;
  };
  const anyRun = async () => {
    const runs = await service.call('runs.list', {});
    return runs[below(runs.length)]?.id;
  };
  const actions: (() => Promise<unknown>)[] = [
    async () => {
      const { id } = await service.call('runs.start', requests[below(requests.length)]);
      say({ type: 'run', id });
    },
    async () => service.call('runs.stop', { run: await anyRun() }),
    async () => service.call('runs.resume', { run: await anyRun() }),
    async () => service.call('runs.resume', { run: await anyRun() }),
    async () => {
      const run = await anyRun();
      // Said before: afterwards another process may wait for its turn.
      if (below(3) !== 0) return;
      say({ type: 'deleted', id: run });
      await service.call('runs.delete', { run });
    },
    async () => service.call('datasets.import', { path, name: `again ${below(2)}` }),
    async () => service.call('relationships.list', {}),
    async () => service.call('runs.metrics', { run: await anyRun() }),
  ];
  for (const end = Date.now() + ms; Date.now() < end; ) {
    try {
      await actions[below(actions.length)]();
    } catch (error) {
      const { code, message } = toErrorValue(error);
      // A run that has ended or is gone, or a name that is taken, is an answer.
      if (code !== 'conflict' && code !== 'not-found') say({ type: 'trouble', message });
    }
    await new Promise((wake) => setTimeout(wake, below(60)));
  }
}
