import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { sourceHead } from '../../src-main/backbones/backbone.ts';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { forkTrainer } from '../../src-main/service/fork-trainer.ts';
import { openService, type Service } from '../../src-main/service/service.ts';
import type { CallInput, Task } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import type { Behavior } from './fake-trainer.ts';

export const fakeTrainer = forkTrainer(fileURLToPath(new URL('./fake-trainer.ts', import.meta.url)));

/** A data folder with a small image folder and weights file beside it, all removed by `remove`. */
export async function makeFixture(perClass = 6) {
  const root = mkdtempSync(join(tmpdir(), 'cotune-service-'));
  const home = join(root, 'home');
  const images = join(root, 'images');
  const weights = join(root, 'tiny.safetensors');
  await writeImages(images, perClass);
  writeWeights(weights);
  mkdirSync(join(home, 'cache'), { recursive: true });
  return {
    root,
    home,
    images,
    weights,
    behave: (behavior: Behavior) =>
      writeFileSync(join(home, 'cache', 'behavior.json'), JSON.stringify(behavior)),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}

export type Fixture = Awaited<ReturnType<typeof makeFixture>>;

/** Two classes of small pictures of colored noise, none like another. */
async function writeImages(folder: string, perClass: number): Promise<void> {
  const [width, height] = [24, 16];
  let dice = 1;
  for (const name of ['bee', 'wasp']) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const pixels = Uint8Array.from({ length: width * height * 3 }, () => {
        dice = (dice * 16807) % 2147483647;
        return dice >> 8;
      });
      const image = sharp(pixels, { raw: { width, height, channels: 3 } });
      await image.png().toFile(join(folder, name, `${i}.png`));
    }
  }
}

/** A ResNet-18 a sixteenth as wide, with three source classes. */
export function writeWeights(path: string, value = 0.5): void {
  const backbone = createBackbone({ architecture: 'resnet18', padding: 'symmetric', width: 1 / 16 });
  const tensors = [...backbone.tensors, ...sourceHead(backbone, 3)];
  writeSafetensors(
    path,
    tensors.map(({ name, shape }) => [
      name,
      { shape, values: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) },
    ]),
    {},
  );
}

export const open = (fixture: Fixture, queue: 'all' | 'own' = 'all'): Promise<Service> =>
  openService({ home: fixture.home, spawnTrainer: fakeTrainer, queue });

/** Imports the images as `insects` and adds the weights as `tiny`. */
export async function fill(service: Service, fixture: Fixture): Promise<void> {
  await finishTask(service, await service.call('datasets.import', { path: fixture.images, name: 'insects' }));
  await service.call('models.add', { path: fixture.weights, name: 'tiny' });
}

export async function finishTask(service: Service, { id }: Task): Promise<Task> {
  return until(async () => {
    const task = (await service.call('tasks.list', {})).find((one) => one.id === id)!;
    return task.status === 'running' ? undefined : task;
  });
}

export const request = (more: Partial<CallInput<'runs.start'>> = {}): CallInput<'runs.start'> => ({
  dataset: 'insects',
  model: 'tiny',
  method: 'finetune',
  steps: 20,
  checkpointEvery: 5,
  evaluateEvery: 10,
  ...more,
});

export const finishRun = (service: Service, id: number, withinMs?: number): Promise<Run> =>
  until(async () => {
    const run = await service.call('runs.get', { run: id });
    return run.status === 'queued' || run.status === 'running' ? undefined : run;
  }, withinMs);

export const reachStep = (service: Service, id: number, step: number): Promise<Run> =>
  until(async () => {
    const run = await service.call('runs.get', { run: id });
    return run.step >= step ? run : undefined;
  });

/** Asks until there is an answer; a minute without one, or what is given, is a failure. */
export async function until<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  withinMs = 60_000,
): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  throw new Error(`waited ${withinMs / 1000} s in vain`);
}
