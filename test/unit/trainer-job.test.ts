import { expect, test } from 'vitest';
import type { SpawnTrainer, TrainerExit } from '../../src-main/service/spawn-trainer.ts';
import { type JobMessage, openTrainer } from '../../src-main/service/trainer-job.ts';
import type { FromTrainer, Job, ToTrainer } from '../../src-main/trainer/protocol.ts';

const job: Job = { kind: 'engines', cacheFolder: '/nowhere' };
const finished: FromTrainer[] = [{ type: 'finished', result: null }, { type: 'ready' }];
const progress: FromTrainer = { type: 'progress', phase: 'train', done: 1, total: 2 };
const killed: TrainerExit = { code: null, signal: 'SIGKILL', stderr: '' };

/**
 * Trainer processes that exist in a script only: each answers the jobs that it gets in turn, with messages or by its end,
 * and leaves where it is told to stop.
 */
function scripted(...scripts: (FromTrainer[] | TrainerExit)[][]) {
  const heard: ToTrainer['type'][][] = [];
  const spawn: SpawnTrainer = () => {
    const index = heard.push([]) - 1;
    const script = scripts[index];
    let say: (message: FromTrainer) => void;
    let leave: (exit: TrainerExit) => void;
    return {
      pid: 100 + index,
      send({ type }) {
        heard[index].push(type);
        const answer = type === 'stop' ? { code: 0, signal: null, stderr: '' } : script.shift()!;
        queueMicrotask(() => (Array.isArray(answer) ? answer.forEach(say) : leave(answer)));
      },
      onMessage(listener) {
        say = listener;
        queueMicrotask(() => say({ type: 'ready' }));
      },
      onExit(listener) {
        leave = listener;
      },
      kill: () => leave(killed),
    };
  };
  return { heard, trainer: openTrainer(spawn) };
}

test('a finished job leaves its process to the next, until the end is asked for', async () => {
  const { heard, trainer } = scripted([finished, finished], [finished]);
  const run = () => trainer.start(job, () => {}).ended;
  await run();
  await run();
  await trainer.end();
  await run();
  expect(heard).toEqual([['start', 'start', 'stop'], ['start']]);
});

test('a kept process that ends before it has read its job is replaced', async () => {
  const { heard, trainer } = scripted([finished, killed], [[progress, ...finished]]);
  await trainer.start(job, () => {}).ended;
  const said: JobMessage[] = [];
  const running = trainer.start(job, (message) => said.push(message));
  expect(await running.ended).toEqual({ type: 'finished', result: null });
  expect(heard).toEqual([['start', 'start'], ['start']]);
  expect(running.pid).toBe(101);
  expect(said).toEqual([progress]);
});

test('a fresh process that ends without a word fails its job: nothing says that another would do better', async () => {
  const { heard, trainer } = scripted([killed]);
  await expect(trainer.start(job, () => {}).ended).rejects.toThrow('killed');
  expect(heard).toHaveLength(1);
});

test('a job that was asked to stop and finished all the same does not leave its process to the next', async () => {
  const { heard, trainer } = scripted([[progress, ...finished]], [finished]);
  const running = trainer.start(job, ({ type }) => type === 'progress' && running.stop());
  expect(await running.ended).toEqual({ type: 'finished', result: null });
  await trainer.start(job, () => {}).ended;
  expect(heard).toEqual([['start', 'stop', 'stop'], ['start']]);
});

test('a kept process whose job’s messages cannot be written down is killed', async () => {
  const { heard, trainer } = scripted([finished, [progress]], [finished]);
  await trainer.start(job, () => {}).ended;
  const unwritable = trainer.start(job, () => {
    throw new Error('disk full');
  });
  await expect(unwritable.ended).rejects.toThrow('could not be stored: disk full');
  await trainer.start(job, () => {}).ended;
  expect(heard).toEqual([['start', 'start'], ['start']]);
});
