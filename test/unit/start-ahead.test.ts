import { expect, test } from 'vitest';
import type { ServiceProcess } from '../../src-main/service/spawn-process.ts';
import { startAhead } from '../../src-main/service/start-ahead.ts';
import type { FromTrainer, ToTrainer } from '../../src-main/trainer/protocol.ts';

/** Processes that record what they are told and say what the test has them say. */
function processes() {
  const made: { heard: ToTrainer[]; killed: boolean; say(message: FromTrainer): void; exit(): void }[] = [];
  const spawn = (): ServiceProcess<ToTrainer, FromTrainer> => {
    let listener: (message: FromTrainer) => void = () => {};
    let onExit: () => void = () => {};
    const one = {
      heard: [] as ToTrainer[],
      killed: false,
      say: (message: FromTrainer) => listener(message),
      exit: () => onExit(),
    };
    made.push(one);
    return {
      pid: made.length,
      send: (message) => void one.heard.push(message),
      onMessage: (given) => {
        listener = given;
      },
      onExit: (given) => {
        onExit = () => given({ code: 1, signal: null, stderr: 'gone' });
      },
      kill: () => {
        one.killed = true;
      },
    };
  };
  return { made, spawn };
}

test('the first process is there before it is asked for, and what it said meanwhile is heard', async () => {
  const { made, spawn } = processes();
  const ahead = startAhead(spawn, 'train');
  expect(made).toHaveLength(1);
  expect(made[0].heard).toEqual([{ type: 'expect', kind: 'train' }]);
  made[0].say({ type: 'ready' });
  const first = ahead.spawn();
  expect(first.pid).toBe(1);
  const heard: FromTrainer[] = [];
  first.onMessage((message) => heard.push(message));
  expect(heard).toEqual([]);
  await Promise.resolve();
  made[0].say({ type: 'stopped' });
  expect(heard).toEqual([{ type: 'ready' }, { type: 'stopped' }]);
  first.send({ type: 'stop' });
  expect(made[0].heard).toHaveLength(2);
  expect(ahead.spawn().pid).toBe(2);
  ahead.end();
  expect(made.map(({ killed }) => killed)).toEqual([false, false]);
});

test('one that nobody asks for is killed; one that died before is told of', async () => {
  const { made, spawn } = processes();
  startAhead(spawn, 'rank').end();
  expect(made[0].killed).toBe(true);
  const ahead = startAhead(spawn, 'rank');
  made[1].exit();
  const exit = await new Promise((resolve) => ahead.spawn().onExit(resolve));
  expect(exit).toEqual({ code: 1, signal: null, stderr: 'gone' });
});
