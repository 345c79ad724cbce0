import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Device, openDevice } from '../../src-main/service/device.ts';
import { openJobs } from '../../src-main/service/jobs.ts';
import type { ServiceProcess } from '../../src-main/service/spawn-process.ts';
import { openStore, type Store } from '../../src-main/store/store.ts';
import type { FromTrainer, Job, ToTrainer } from '../../src-main/trainer/protocol.ts';

/** Trainers that work on a job until they are told that it is done. */
function trainers() {
  const working = new Map<string, (message: FromTrainer) => void>();
  let alive = 0;
  let most = 0;
  const spawn = (): ServiceProcess<ToTrainer, FromTrainer> => {
    let say: (message: FromTrainer) => void = () => {};
    let end = () => {};
    let path = '';
    most = Math.max(most, ++alive);
    setImmediate(() => say({ type: 'ready' }));
    const exit = () => setImmediate(() => end());
    return {
      pid: 1,
      send(message) {
        if (message.type === 'stop') return exit();
        if (message.type !== 'start') return;
        path = (message.job as { path: string }).path;
        working.set(path, say);
      },
      onMessage: (listener) => {
        say = listener;
      },
      onExit: (listener) => {
        end = () => {
          alive--;
          working.delete(path);
          listener({ code: 0, signal: null, stderr: '' });
        };
      },
      kill: exit,
    };
  };
  return {
    spawn,
    /** The jobs that are worked on, when nothing more begins by itself. */
    async now(): Promise<string[]> {
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      return [...working.keys()].sort();
    },
    finish(path: string): void {
      working.get(path)!({ type: 'finished', result: null });
      working.get(path)!({ type: 'ready' });
    },
    seen: () => ({ alive, most }),
  };
}

let folder: string;
let store: Store;
let device: Device;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-jobs-'));
  store = openStore(join(folder, 'cotune.sqlite'));
  device = openDevice({ store, owner: 'me' });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const job = (kind: 'rank' | 'verify' | 'engines', path: string) =>
  ({ kind, path }) as never as Job & { kind: 'verify' };

test('of many long jobs one works at a time, of short ones two, and neither waits for the other', async () => {
  const { spawn, now, finish, seen } = trainers();
  const { perform } = openJobs(spawn, device);
  const ends: string[] = [];
  const names = (['rank', 'verify', 'engines'] as const).flatMap((kind) =>
    [1, 2, 3].map((n) => [kind, `${kind} ${n}`] as const),
  );
  const all = names.map(([kind, name]) => perform(job(kind, name)).then(() => ends.push(name)));
  expect(await now()).toEqual(['engines 1', 'rank 1', 'verify 1', 'verify 2']);
  finish('verify 2');
  expect(await now()).toEqual(['engines 1', 'rank 1', 'verify 1', 'verify 3']);
  finish('rank 1');
  expect(await now()).toEqual(['engines 1', 'rank 2', 'verify 1', 'verify 3']);
  expect(ends).toEqual(['verify 2', 'rank 1']);
  while ((await now()).length > 0) for (const name of await now()) finish(name);
  await Promise.all(all);
  expect(ends).toHaveLength(names.length);
  expect(seen()).toEqual({ alive: 0, most: 4 });
});

test('a signal ends its job alone, with its reason', async () => {
  const { spawn, now, finish } = trainers();
  const { perform } = openJobs(spawn, device);
  const stop = new AbortController();
  const stopped = perform(job('verify', 'stopped'), { signal: stop.signal });
  const other = perform(job('verify', 'other'));
  await now();
  stop.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
  expect(await now()).toEqual(['other']);
  finish('other');
  await other;
});

test('what waits for its turn can be called off at once, and the others move up', async () => {
  const { spawn, now, finish } = trainers();
  const { perform } = openJobs(spawn, device);
  const stop = new AbortController();
  const first = perform(job('rank', 'first'));
  const waiting = perform(job('rank', 'called off'), { signal: stop.signal });
  const last = perform(job('rank', 'last'));
  stop.abort(new Error('no longer'));
  await expect(waiting).rejects.toThrow('no longer');
  expect(await now()).toEqual(['first']);
  finish('first');
  expect(await now()).toEqual(['last']);
  finish('last');
  await Promise.all([first, last]);
});

test('closing ends what works, and what waits does not begin', async () => {
  const { spawn, now, seen } = trainers();
  const { perform, close } = openJobs(spawn, device);
  const all = Promise.allSettled([1, 2, 3].map((n) => perform(job('rank', `rank ${n}`))));
  expect(await now()).toEqual(['rank 1']);
  await close();
  expect((await all).map((one) => one.status === 'rejected' && one.reason.code)).toEqual(
    Array(3).fill('cancelled'),
  );
  expect(seen()).toEqual({ alive: 0, most: 1 });
});
