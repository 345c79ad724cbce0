/**
 * Kills (SIGKILL) at random instants: of the service, its trainer, both, or the command line, while they import, learn,
 * train, record, export, delete or upgrade. Afterwards the home opens, nothing that was promised is gone, and what goes on
 * ends with the numbers of an undisturbed run, to the bit.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { openStore } from '../../src-main/store/store.ts';
import { launcher } from '../contract/cli-process.ts';
import { finishRun, finishTask } from '../contract/fixture.ts';
import { copyHome, homeSchemas } from '../homes.ts';
import { type Dice, dice } from './dice.ts';
import { type Figures, newFigures } from './figures.ts';
import { startWorker } from './start-worker.ts';
import { makeWorld, runOf, seeds, settle, type World } from './world.ts';

type Scenario = (world: World, random: Dice, figures: Figures) => Promise<void>;

/** In the order of their turns: trainings and their recording most often. */
const scenarios: [string, Scenario][] = [
  ['service while training', training('service')],
  ['trainer while training', training('trainer')],
  ['service while recording', recording],
  ['service and trainer while training', training('both')],
  ['service while importing', importing],
  ['command line while importing', commandLine],
  ['service while learning a relationship', learning],
  ['service while deleting', deleting],
  ['service while exporting', exporting],
  ['service while upgrading', upgrading],
  ['service or trainer while training for real', trainingForReal],
];

/** Kills so many times, each scenario in turn. `tell` is told of each. */
export async function killRandomly(
  kills: number,
  seed: number,
  tell: (line: string) => void,
): Promise<Figures> {
  const figures = newFigures();
  const random = dice(seed);
  const world = await makeWorld();
  try {
    for (let turn = 0; figures.kills < kills; turn++) {
      const [name, scenario] = scenarios[turn % scenarios.length];
      await scenario(world, random, figures);
      tell(`${figures.kills}/${kills} ${name}`);
    }
  } finally {
    world.remove();
    (await realWorld)?.remove();
    realWorld = undefined;
  }
  return figures;
}

function training(whom: 'service' | 'trainer' | 'both'): Scenario {
  return async (world, random, figures) => {
    world.behave({ stepMs: 8 });
    const requests = [random.pick(seeds), random.pick(seeds)].map(runOf);
    const worker = startWorker(world.home, { kind: 'runs', requests });
    await worker.hears('run');
    // A run takes about half a second: the kill falls before, in, between or after them.
    await sleep(random.below(1200));
    const trainer = trainerOf(world);
    if (whom !== 'service' && trainer) killProcess(trainer);
    if (whom !== 'trainer') await worker.kill();
    figures.kills += whom === 'both' ? 2 : 1;
    if (whom === 'trainer') {
      // The service says that it died and goes on with the next run.
      const ended = await worker.ended;
      if (ended.code !== 0)
        figures.crashes.push(`trainer killed: the service ended by itself: ${ended.stderr}`);
    }
    world.behave({});
    await settle(world, worker.ids('run'), figures, `${whom} killed while training`);
  };
}

/** A home where the real trainer works, made when it is first needed. */
let realWorld: Promise<World> | undefined;

/** Once the service, once its trainer, in turn. */
async function trainingForReal(_: World, random: Dice, figures: Figures): Promise<void> {
  realWorld ??= makeWorld('real');
  const world = await realWorld;
  const seed = random.pick(seeds);
  const worker = startWorker(world.home, { kind: 'runs', requests: [world.runOf(seed)], trainer: 'real' });
  await worker.hears('run');
  // A trainer takes about a second to start, the run about as long.
  await sleep(random.below(4000));
  const [trainer] = figures.kills % 2 === 0 ? childrenOf(worker.pid) : [];
  if (trainer === undefined) await worker.kill();
  else {
    killProcess(trainer);
    const ended = await worker.ended;
    if (ended.code !== 0) figures.crashes.push(`real trainer killed: the service ended: ${ended.stderr}`);
  }
  figures.kills++;
  await settle(world, worker.ids('run'), figures, 'killed while training for real');
}

/** Processes that one has started; none where the system does not tell. */
function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
}

async function recording(world: World, random: Dice, figures: Figures): Promise<void> {
  world.behave({});
  const worker = startWorker(world.home, { kind: 'runs', requests: [runOf(random.pick(seeds))] });
  await worker.hears('evaluating');
  await sleep(random.next() * 12);
  await worker.kill();
  figures.kills++;
  const ids = worker.ids('run');
  // What was trained is not trained again: whole, or a checkpoint of the last steps.
  const store = openStore(join(world.home, 'cotune.sqlite'));
  const files = ids.flatMap((id) =>
    store.runs.get(id)?.status === 'finished' ? [] : checkpointsOf(join(world.home, 'runs', String(id))),
  );
  const unfinished = ids.filter((id) => store.runs.get(id)?.status !== 'finished');
  store.close();
  if (unfinished.length > 0 && files.length === 0)
    figures.lost.push(`killed while recording: run ${unfinished} has no checkpoint`);
  await settle(world, ids, figures, 'killed while recording');
}

const checkpointsOf = (folder: string): string[] =>
  existsSync(folder)
    ? (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.includes('checkpoint-'))
    : [];

let imports = 0;
async function importing(world: World, random: Dice, figures: Figures): Promise<void> {
  const name = `import ${++imports}`;
  const worker = startWorker(world.home, { kind: 'import', path: world.images, name });
  await worker.hears('open');
  await sleep(random.below(250));
  await worker.kill();
  figures.kills++;
  await checkImport(world, name, figures);
}

async function checkImport(world: World, name: string, figures: Figures): Promise<void> {
  const service = await world.openHere();
  try {
    const whole = await service.call('datasets.get', { dataset: 'insects' });
    for (const again of [false, true]) {
      if (again)
        await finishTask(service, await service.call('datasets.import', { path: world.images, name }));
      const found = (await service.call('datasets.list', {})).find((one) => one.name === name);
      if (again && !found) figures.lost.push(`import killed: ${name} cannot be imported again`);
      if (found && found.hash !== whole.hash) figures.differing.push(`import killed: ${name} is not whole`);
      if (!found) continue;
      const { total } = await service.call('datasets.samples', { dataset: name, offset: 0, limit: 1 });
      if (total !== 12) figures.differing.push(`import killed: ${name} has ${total} of 12 images`);
    }
    await service.call('datasets.delete', { dataset: name });
  } finally {
    await service.close();
  }
}

async function commandLine(world: World, random: Dice, figures: Figures): Promise<void> {
  const name = `import ${++imports}`;
  const child = spawn(
    process.execPath,
    [launcher, 'import', world.images, '--name', name, '--home', world.home],
    {
      stdio: 'ignore',
      // The launcher and the program that it starts, together.
      detached: true,
    },
  );
  await sleep(200 + random.below(900));
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // It was done.
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  figures.kills++;
  await checkImport(world, name, figures);
}

async function learning(world: World, random: Dice, figures: Figures): Promise<void> {
  const worker = startWorker(world.home, { kind: 'relationship', seed: 100 + figures.kills });
  await worker.hears('open');
  await sleep(random.below(500));
  await worker.kill();
  figures.kills++;
  const service = await world.openHere();
  for (const { id } of await service.call('relationships.list', {})) {
    const { values } = await service.call('relationships.matrix', { relationship: id });
    if (values.length !== 6 || values.some((p) => Math.abs(p - 1 / 3) > 1e-6))
      figures.differing.push(`learning killed: relationship ${id}`);
  }
  if ((await service.call('tasks.list', {})).some(({ status }) => status === 'running'))
    figures.lost.push('learning killed: its task runs for ever');
  await service.close();
}

async function finishedRun(world: World, random: Dice): Promise<number> {
  world.behave({});
  const service = await world.openHere();
  const { id } = await service.call('runs.start', runOf(random.pick(seeds)));
  await finishRun(service, id);
  await service.close();
  return id;
}

async function deleting(world: World, random: Dice, figures: Figures): Promise<void> {
  const run = await finishedRun(world, random);
  const worker = startWorker(world.home, { kind: 'delete', run });
  await worker.hears('open');
  await sleep(random.next() * 12);
  await worker.kill();
  figures.kills++;
  const service = await world.openHere();
  const there = (await service.call('runs.list', {})).some(({ id }) => id === run);
  await service.close();
  if (there) await settle(world, [run], figures, 'deletion killed');
  else if (existsSync(join(world.home, 'runs', String(run))))
    figures.lost.push(`deletion killed: files of run ${run} stay for ever`);
}

async function exporting(world: World, random: Dice, figures: Figures): Promise<void> {
  const run = await finishedRun(world, random);
  const whole = join(world.root, 'whole.csv');
  const path = join(world.root, 'killed.csv');
  for (const file of [whole, path]) rmSync(file, { force: true });
  const service = await world.openHere();
  await service.call('runs.export', { run, format: 'csv', path: whole });
  await service.close();
  const worker = startWorker(world.home, { kind: 'export', run, format: 'csv', path });
  await worker.hears('open');
  await sleep(random.next() * 8);
  await worker.kill();
  figures.kills++;
  if (existsSync(path) && !readFileSync(path).equals(readFileSync(whole)))
    figures.differing.push('export killed: half a file');
  await settle(world, [run], figures, 'export killed');
}

async function upgrading(_: World, random: Dice, figures: Figures): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'cotune-upgrade-'));
  try {
    copyHome(random.pick(homeSchemas), home);
    const whole = rowsIn(home);
    const worker = startWorker(home, { kind: 'open' });
    await worker.hears('opening');
    await sleep(random.next() * 40);
    await worker.kill();
    figures.kills++;
    openStore(join(home, 'cotune.sqlite')).close();
    const after = rowsIn(home);
    if (after !== whole) figures.lost.push(`upgrade killed: ${after} instead of ${whole}`);
  } catch (error) {
    figures.lost.push(`upgrade killed: ${(error as Error).message}`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Rows of the tables that hang on each other, in words. */
function rowsIn(home: string): string {
  const db = new Database(join(home, 'cotune.sqlite'));
  try {
    return ['runs', 'metrics', 'predictions', 'checkpoints', 'relationships', 'samples']
      .map((table) => `${db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()} ${table}`)
      .join(', ');
  } finally {
    db.close();
  }
}

function trainerOf(world: World): number | undefined {
  const file = join(world.home, 'cache', 'trainer.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined;
}

/** Ends a trainer of this home, which may have ended by itself. */
function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
