/**
 * Measures pages of a dataset of many images in Chromium, WebGL by software: the map of its features and the grid of its images.
 *
 *   node_modules/.bin/node test/scale/page.ts map 20000
 *   node_modules/.bin/node test/scale/page.ts grid 200000
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { normalOf, randomOf } from '../../src-main/data/random.ts';
import { startServer } from '../../src-main/hosts/headless/server.ts';
import { openService } from '../../src-main/service/service.ts';
import type { SpawnTrainer } from '../../src-main/service/spawn-trainer.ts';
import { openStore } from '../../src-main/store/store.ts';
import type { FromTrainer } from '../../src-main/trainer/protocol.ts';
import { builtRenderer } from '../browser/built-renderer.ts';
import { chromiumPath, howToGetChromium, launch, openPage } from '../browser/chromium.ts';
import { addModel, dataset, sample } from '../unit/store-rows.ts';

const [what, count] = [process.argv[2], Number(process.argv[3])];
if (!chromiumPath) throw new Error(howToGetChromium);
const classes = Array.from({ length: 100 }, (_, label) => `class ${label}`);
const pictures = 40;
const components = 30;

const root = mkdtempSync(join(tmpdir(), 'cotune-page-'));
const [home, images] = [join(root, 'home'), join(root, 'images')];
for (const folder of [home, images]) mkdirSync(folder);
for (let i = 0; i < pictures; i++)
  await sharp({ create: { width: 256, height: 192, channels: 3, background: { r: 6 * i, g: 99, b: 40 } } })
    .jpeg()
    .toFile(join(images, `${i}.jpg`));
fill();

const service = await openService({ home, spawnTrainer: featuresAlone(), queue: 'all' });
const rendererFolder = await builtRenderer();
const server = await startServer({ service, folders: [images], port: 0, rendererFolder });
const browser = await launch();
try {
  const { page } = await openPage(browser, server.url);
  await page.evaluate(watchLongTasks);
  await (what === 'grid' ? measureGrid(page) : measureMap(page));
} finally {
  await browser.close();
  await server.close();
  await service.close();
  rmSync(root, { recursive: true, force: true });
}

/** Rows of that many images in a new home, which share some files. */
function fill(): void {
  const store = openStore(join(home, 'cotune.sqlite'));
  addModel(store);
  const perClass = Math.ceil(count / classes.length);
  const id = store.datasets.insert({
    ...dataset('many', classes),
    path: images,
    counts: { train: count, val: 0, test: 0 },
    classCounts: classes.map(() => ({ train: perClass, val: 0, test: 0 })),
  });
  const rows = Array.from({ length: count }, (_, i) => ({
    ...sample(`${classes[i % classes.length]}/${i}.jpg`, i % classes.length),
    locator: { file: `${i % pictures}.jpg` },
  }));
  store.transaction(() => store.samples.replace(id, rows));
  store.close();
}

/** A trainer that only tells features: clouds around a place for each class. */
function featuresAlone(): SpawnTrainer {
  return () => {
    let hear: (message: FromTrainer) => void = () => {};
    let end = () => {};
    return {
      pid: process.pid,
      onMessage(listener) {
        hear = listener;
        setImmediate(() => hear({ type: 'ready' }));
      },
      send(message) {
        if (message.type === 'stop') return end();
        if (message.type !== 'start' || message.job.kind !== 'features') return;
        const { samples } = message.job;
        const random = randomOf(1, 'features');
        const normal = () => normalOf(random);
        // Principal components have less to tell from one to the next.
        const spread = Array.from({ length: components }, (_, k) => 3 / Math.sqrt(k + 1));
        const middles = classes.map(() => spread.map((width) => width * normal()));
        const ids = Int32Array.from(samples, ({ id }) => id);
        const values = new Float32Array(ids.length * components);
        for (const [i, { label }] of samples.entries())
          for (let k = 0; k < components; k++)
            values[i * components + k] = middles[label][k] + 0.5 * spread[k] * normal();
        setImmediate(() => {
          hear({ type: 'features', ids, components, values });
          hear({ type: 'finished', result: null });
          hear({ type: 'ready' });
        });
      },
      onExit(listener) {
        end = () => listener({ code: 0, signal: null, stderr: '' });
      },
      kill: () => end(),
    };
  };
}

/** Notes what keeps the page from answering for 50 ms or more. */
function watchLongTasks(): void {
  const longest = { ms: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest.ms = Math.max(longest.ms, duration);
  }).observe({ type: 'longtask' });
  Object.assign(globalThis, { longest });
}

/** The longest since it was asked before, in milliseconds; none is under 50. */
function longestTask(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { longest } = globalThis as unknown as { longest: { ms: number } };
    const { ms } = longest;
    longest.ms = 0;
    return ms;
  });
}

function tell(name: string, ms: number): void {
  console.log(`${name.padEnd(52)} ${ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`}`);
}

async function measureMap(page: Page): Promise<void> {
  console.log(`Map of ${count} images`);
  const done = new Promise((resolve) => {
    service.on('task', ({ status }) => status === 'finished' && resolve(null));
  });
  await service.call('features.make', { dataset: 'many', model: 'm' });
  await done;
  await longestTask(page);
  const begun = performance.now();
  await page.evaluate(() => {
    location.hash = '#/datasets/many?tab=map';
  });
  const status = page.getByRole('status').filter({ hasText: /UMAP/ });
  await status.waitFor({ timeout: 60_000 });
  await page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  );
  tell('first picture (principal components)', performance.now() - begun);
  tell('longest task until then', await longestTask(page));
  await lasso(page, 'an outline while UMAP works: until its images are in the grid');
  await page
    .getByRole('status')
    .filter({ hasText: /^UMAP$/ })
    .waitFor({ timeout: 900_000 });
  tell('UMAP, from the beginning', performance.now() - begun);
  tell('longest task of the page meanwhile', await longestTask(page));
  await lasso(page, 'an outline afterwards: until its images are in the grid');
  tell('longest task then', await longestTask(page));
  const zoom = page.getByRole('button', { name: 'Zoom in' });
  const from = performance.now();
  for (let i = 0; i < 5; i++) await zoom.click();
  tell('five steps nearer', performance.now() - from);
  tell('longest task then', await longestTask(page));
}

/** Draws an outline over the middle of the map; time from letting go to two frames after its images are listed. */
async function lasso(page: Page, name: string): Promise<void> {
  const box = (await page.locator('canvas').boundingBox())!;
  const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
  await page.mouse.move(...at(0.25, 0.25));
  await page.mouse.down();
  for (const [x, y] of [
    [0.5, 0.2],
    [0.75, 0.3],
    [0.8, 0.7],
    [0.5, 0.8],
    [0.2, 0.7],
  ])
    await page.mouse.move(...at(x, y), { steps: 8 });
  const shown = page.evaluate(async () => {
    const canvas = document.querySelector('canvas')!;
    const from = await new Promise<number>((up) => {
      canvas.addEventListener('pointerup', () => up(performance.now()), { capture: true, once: true });
    });
    const heading = document.querySelector('[aria-label="Selection"] h2')!;
    while (!/selected/.test(heading.textContent ?? ''))
      await new Promise((next) => requestAnimationFrame(next));
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    return performance.now() - from;
  });
  await page.mouse.up();
  tell(name, await shown);
  await page.getByRole('button', { name: 'Show all' }).click();
}

async function measureGrid(page: Page): Promise<void> {
  console.log(`Grid of ${count} images`);
  const begun = performance.now();
  await page.evaluate(() => {
    location.hash = '#/datasets/many';
  });
  await page.getByRole('button', { name: 'class 0, class 0/0.jpg' }).waitFor();
  tell('first images', performance.now() - begun);
  await longestTask(page);
  const frames = await page.evaluate(async () => {
    const grid = document.querySelector('[role=list][aria-label=Images]')!.parentElement!;
    const gaps: number[] = [];
    let last = performance.now();
    const frame = async () => {
      await new Promise((next) => requestAnimationFrame(next));
      gaps.push(performance.now() - last);
      last = performance.now();
    };
    for (let i = 0; i < 300; i++) {
      grid.scrollTop += 120;
      await frame();
    }
    // As one drags the scroll bar: far from one frame to the next.
    for (let i = 0; i < 100; i++) {
      grid.scrollTop = (grid.scrollHeight * ((i * 37) % 100)) / 100;
      await frame();
    }
    return gaps.sort((a, b) => a - b);
  });
  tell('frame while scrolling, median', frames[frames.length >> 1]);
  tell('frame while scrolling, 99 of 100 within', frames[Math.floor(0.99 * frames.length)]);
  tell('longest task', await longestTask(page));
  const jump = performance.now();
  await page.evaluate(() => {
    const grid = document.querySelector('[role=list][aria-label=Images]')!.parentElement!;
    grid.scrollTop = grid.scrollHeight;
  });
  await page
    .getByRole('button', { name: `${classes.at(-1)}, ` })
    .last()
    .waitFor();
  tell('to the end: until its images are named', performance.now() - jump);
}
