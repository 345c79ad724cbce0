/** Findings reviewed by keyboard alone: what is decided is part of the next run and of no earlier one. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningServer, startServer } from '../../src-main/hosts/headless/server.ts';
import type { Service } from '../../src-main/service/service.ts';
import {
  type Fixture,
  fill,
  finishRun,
  finishTask,
  makeFixture,
  open,
  request,
} from '../contract/fixture.ts';
import { accessibilityFaults } from './accessibility.ts';
import { builtRenderer } from './built-renderer.ts';
import { chromiumPath, howToGetChromium, launch, openPage } from './chromium.ts';

let browser: Browser | undefined;
let fixture: Fixture;
let service: Service;
let server: RunningServer;

beforeAll(async () => {
  if (!chromiumPath) return;
  const rendererFolder = await builtRenderer();
  fixture = await makeFixture();
  copyFileSync(join(fixture.images, 'bee/0.png'), join(fixture.images, 'bee/copy.png'));
  service = await open(fixture);
  await fill(service, fixture);
  server = await startServer({ service, folders: [fixture.images], port: 0, rendererFolder });
  browser = await launch();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  if (!fixture) return;
  await server.close();
  await service.close();
  fixture.remove();
});

const train = async () => finishRun(service, (await service.call('runs.start', request())).id);
const dataset = () => service.call('datasets.get', { dataset: 'insects' });

/** Moves the focus on by the Tab key until it is on a button of that name, and presses it. */
async function press(page: Page, name: RegExp) {
  for (let tries = 0; tries < 60; tries++) {
    await page.keyboard.press('Tab');
    const text = await page.evaluate(() => document.activeElement?.textContent ?? '');
    if (name.test(text)) return page.keyboard.press('Enter');
  }
  throw new Error(`The Tab key comes to no ${name}.`);
}

test('findings are excluded, relabelled and undone by keys; the next run is another one, the old run what it was', async (context) => {
  if (!chromiumPath) context.skip(howToGetChromium);
  const old = await train();
  const before = await dataset();
  await finishTask(service, await service.call('datasets.check', { dataset: 'insects', model: 'tiny' }));
  const [wrong] = (await service.call('datasets.findings', { dataset: 'insects', kind: 'wrong-label' }))
    .findings;
  const { page, faults } = await openPage(browser!, `${server.url}`);
  await page.getByRole('link', { name: 'Datasets' }).waitFor();
  await page.evaluate(() => {
    location.hash = '#/datasets/insects?tab=review';
  });
  await page.getByText('the same file as').waitFor();
  expect(await accessibilityFaults(page, 'review')).toEqual([]);
  await page.getByText(/^\s*Run 1: /).waitFor();

  // The image to leave out can be either one of a pair.
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('2');
  await page.getByText('That was the last one').waitFor();
  expect((await dataset()).edits).toBe(1);
  await page.keyboard.press('Control+z');
  await page.getByText('the same file as').waitFor();
  expect(await dataset()).toMatchObject({ hash: before.hash, edits: 0 });
  // A key that comes while the undo is still under way does nothing.
  await vi.waitFor(async () => {
    await page.keyboard.press('2');
    await page.getByText('That was the last one').waitFor({ timeout: 1000 });
  }, 15_000);

  await press(page, /Likely wrong labels/);
  await page.getByText('given bee').waitFor();
  await page.keyboard.press('3');
  await page.getByRole('combobox', { name: 'New class' }).waitFor();
  expect(await accessibilityFaults(page, 'choosing a class')).toEqual([]);
  await page.keyboard.type('was');
  await page.keyboard.press('Enter');
  await page.getByText('That was the last one').waitFor();
  expect(faults).toEqual([]);

  const { edits } = await service.call('datasets.edits', { dataset: 'insects' });
  expect(edits.map(({ action, target, after, finding }) => [action, target, after, finding])).toEqual([
    ['relabel', wrong.path, 'wasp', 'wrong-label'],
    ['exclude', expect.stringMatching(/^bee\/(0|copy)\.png$/), null, 'exact-duplicate'],
  ]);
  const fresh = await train();
  const now = await dataset();
  expect(now.hash).not.toBe(before.hash);
  expect(fresh).toMatchObject({ datasetHash: now.hash, editsHash: now.editsHash });
  const total = ({ samples }: typeof old) => samples.train + samples.val + samples.test;
  expect(total(fresh)).toBe(total(old) - 1);
  expect(await service.call('runs.get', { run: old.id })).toEqual(old);

  await page.evaluate(() => {
    location.hash = '#/datasets/insects?tab=edits';
  });
  await page.getByRole('button', { name: `Undo: Relabelled ${wrong.path}` }).press('Enter');
  await page.getByRole('button', { name: 'Undo: Relabelled' }).waitFor({ state: 'detached' });
  expect((await dataset()).edits).toBe(1);
  await page.getByLabel('With those that were undone').press('Space');
  await expect.poll(() => page.getByText('· undone').count()).toBe(2);

  // What no finding names is changed where it is opened.
  const { samples } = await service.call('datasets.samples', { dataset: 'insects' });
  await page.evaluate((id) => {
    location.hash = `#/datasets/insects?sample=${id}`;
  }, samples[0].id);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Exclude' }).press('Enter');
  await dialog.getByText('Excluded').waitFor();
  expect((await dataset()).edits).toBe(2);
  expect(await accessibilityFaults(page, 'an image that was excluded', 'dialog[open]')).toEqual([]);
  // What was edited elsewhere meanwhile is not what is taken back here.
  const elsewhere = { action: 'exclude', path: samples[1].path } as const;
  const { edit } = await service.call('datasets.edit', { dataset: 'insects', edits: [elsewhere] });
  await dialog.getByRole('button', { name: 'Undo' }).press('Enter');
  await dialog.getByRole('button', { name: 'Exclude' }).waitFor();
  await service.call('datasets.undo', { dataset: 'insects', edit: edit! });
  await dialog.getByLabel('Move to another split').selectOption('val');
  await expect.poll(async () => (await dataset()).edits).toBe(2);
  await dialog.getByText('Validation', { exact: true }).first().waitFor();
  expect(faults).toEqual([]);
}, 120_000);
