/**
 * Disks that are full or read-only at random points: a home on a small disk (tmpfs, mounted by root on Linux), which is filled
 * up before or while runs are trained, results recorded, datasets imported and files exported. What is refused says so with
 * the path and figures; when there is room again, everything goes on to the numbers of an undisturbed run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openService } from '../../src-main/service/service.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { fakeTrainer, fill, finishTask, until } from '../contract/fixture.ts';
import { type Dice, dice } from './dice.ts';
import { type Figures, newFigures } from './figures.ts';
import { makeWorld, runOf, seeds, settle, type World } from './world.ts';

export const canMount = (): boolean =>
  process.platform === 'linux' && process.getuid?.() === 0 && mountWorks();

function mountWorks(): boolean {
  const folder = `/tmp/cotune-mount-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const works = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
  if (works) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return works;
}

/** Null where no disk can be mounted here. */
export async function fillDisks(
  times: number,
  seed: number,
  tell: (line: string) => void,
): Promise<Figures | null> {
  if (!canMount()) return null;
  const figures = newFigures();
  const random = dice(seed + 1);
  const world = await makeWorld();
  const disk = join(world.root, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status !== 0) return null;
  try {
    for (let turn = 0; turn < times; turn++) {
      const trouble = turn % 2 === 0 ? full : readOnlyFolder;
      await round({ ...world, home: join(disk, `home-${turn}`) }, disk, trouble, random, figures);
      rmSync(join(disk, `home-${turn}`), { recursive: true, force: true });
      tell(`full disks ${turn + 1}/${times}`);
    }
    await readOnly(world, disk, figures);
  } finally {
    spawnSync('umount', ['-l', disk]);
    world.remove();
  }
  return figures;
}

/** Begins; returns what ends it. */
type Trouble = (disk: string, home: string, random: Dice) => () => void;

const full: Trouble = (disk, _, random) => {
  fillUp(disk, random.below(60_000));
  return () => rmSync(join(disk, 'ballast'), { force: true });
};

/** One of the home's folders, from one moment on: what is opened for writing there is refused. */
const readOnlyFolder: Trouble = (_, home, random) => {
  const folder = join(home, random.pick(['runs', 'cache', 'models']));
  mkdirSync(folder, { recursive: true });
  spawnSync('mount', ['--bind', folder, folder]);
  spawnSync('mount', ['-o', 'remount,ro,bind', folder]);
  return () => spawnSync('umount', ['-l', folder]);
};

async function round(
  world: World,
  disk: string,
  trouble: Trouble,
  random: Dice,
  figures: Figures,
): Promise<void> {
  const service = await openService({ home: world.home, spawnTrainer: fakeTrainer });
  const here: World = {
    ...world,
    openHere: (queue = 'own') => openService({ home: world.home, spawnTrainer: fakeTrainer, queue }),
    behave: (behavior) => writeFileSync(join(world.home, 'cache', 'behavior.json'), JSON.stringify(behavior)),
  };
  await fill(service, here);
  here.behave({ stepMs: 5 });
  const request = runOf(random.pick(seeds));
  const { id } = await service.call('runs.start', request);
  await sleep(random.below(600));
  const end = trouble(disk, world.home, random);
  figures.refusals++;
  // Meanwhile reads answer, writes are refused with the reason.
  const attempts: [string, () => Promise<unknown>][] = [
    ['list', () => service.call('runs.list', {})],
    ['start', () => service.call('runs.start', request)],
    [
      'import',
      async () => {
        const task = await finishTask(
          service,
          await service.call('datasets.import', { path: world.images, name: 'full' }),
        );
        if (task.error) throw new CotuneError(task.error.code, task.error.message, task.error.hint);
      },
    ],
    ['export', () => service.call('runs.export', { run: id, format: 'csv', path: join(disk, 'out.csv') })],
  ];
  const promised = [id];
  for (const [what, attempt] of attempts) {
    // A write that cannot even say that it failed waits for room: asked no longer than this.
    const answer = await Promise.race([attempt().catch((error: Error) => error), sleep(3000)]);
    if (answer instanceof Error && !isRefusal(answer))
      figures.crashes.push(`${trouble.name}, ${what}: ${answer.message}`);
    if (what === 'start' && answer && !(answer instanceof Error))
      promised.push((answer as { id: number }).id);
  }
  end();
  await until(
    async () =>
      (await service.call('runs.list', {})).every(
        ({ status }) => status !== 'running' && status !== 'queued',
      ) || undefined,
  );
  for (const run of await service.call('runs.list', {}))
    if (run.error && !/full|read-only|Stopped|conflict/.test(run.error.message))
      figures.crashes.push(`${trouble.name}, run ${run.id}: ${run.error.message}`);
  await service.close();
  here.behave({});
  await settle(here, promised, figures, trouble.name);
}

/** An answer that a person can act on: what is full, or why it cannot be at the moment. */
const isRefusal = (error: Error): boolean =>
  error instanceof CotuneError &&
  (/disk is full \(.*free on its disk\)|the disk is read-only/.test(error.message) ||
    error.code === 'conflict');

function fillUp(disk: string, leave: number): void {
  const { bavail, bsize } = statfsSync(disk);
  try {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  } catch (error) {
    // The service wrote meanwhile, and less is left than was meant: full all the same.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** A home, and a place to export to, that may not be written. */
async function readOnly(world: World, disk: string, figures: Figures): Promise<void> {
  spawnSync('mount', ['-o', 'remount,ro', disk]);
  const service = await world.openHere();
  const [{ id }] = await service.call('runs.list', { status: 'finished' });
  const attempts: [string, () => Promise<unknown>][] = [
    ['home', () => openService({ home: join(disk, 'home'), spawnTrainer: fakeTrainer })],
    ['export', () => service.call('runs.export', { run: id, format: 'csv', path: join(disk, 'x.csv') })],
  ];
  for (const [what, attempt] of attempts) {
    figures.refusals++;
    const error = await attempt().then(
      () => undefined,
      (caught: Error) => caught,
    );
    if (!(error instanceof CotuneError) || error.code !== 'unavailable' || error.hint === '')
      figures.crashes.push(`read-only ${what}: ${error?.message ?? 'was written'}`);
  }
  await service.close();
  spawnSync('mount', ['-o', 'remount,rw', disk]);
  if (existsSync(join(disk, 'x.csv'))) figures.crashes.push('read-only export: a file appeared');
}
