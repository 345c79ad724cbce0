/** Accessibility of what a home that works does not show: nothing yet, work under way, and what went wrong. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { places } from '../../src-renderer/places.ts';
import type { Task } from '../../src-shared/contract.ts';
import { accessibilityFaults } from './accessibility.ts';
import { builtRenderer } from './built-renderer.ts';
import { chromiumPath, howToGetChromium, launch, openPage } from './chromium.ts';
import { makeRun } from './fake-data.ts';
import { startFakeService } from './fake-service.ts';

let browser: Browser | undefined;
let folder: string;
beforeAll(async () => {
  if (!chromiumPath) return;
  folder = await builtRenderer();
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach((context) => {
  if (!chromiumPath) context.skip(howToGetChromium);
});

test('places where there is nothing yet, or nothing of that name', async () => {
  const service = await startFakeService({ folder, runs: 0 });
  const { page } = await openPage(browser!, service.url);
  const found: string[] = [];
  for (const place of places) {
    const main = page.getByRole('main');
    await page.evaluate(
      (hash) => {
        location.hash = hash;
      },
      `#/${place.replace(':item', '77')}`,
    );
    await main.getByRole('heading').first().waitFor();
    if (place.includes(':item') && place !== 'relationships/:item')
      await page.getByRole('alert').first().waitFor();
    found.push(...(await accessibilityFaults(page, `${place} of an empty home`, 'main')));
  }
  expect(found).toEqual([]);
  await page.context().close();
  await service.close();
});

test('runs and tasks under way or failed, and a lost connection', async () => {
  const service = await startFakeService({ folder, runs: 3 });
  const untested = { test: null, val: null, timing: null };
  const error = { code: 'failed' as const, message: 'The disk is full.', hint: 'Make room, then resume it.' };
  service.runs.set(4, makeRun(4, { ...untested, status: 'queued', step: 0 }));
  service.runs.set(5, makeRun(5, { ...untested, status: 'running', phase: 'train', step: 120 }));
  service.runs.set(6, makeRun(6, { ...untested, status: 'failed', step: 90, checkpointStep: 60, error }));
  service.runs.set(8, makeRun(8, { ...untested, status: 'stopped', step: 90, checkpointStep: 60 }));
  const { page } = await openPage(browser!, `${service.url}#/runs`);
  const found: string[] = [];
  const look = async (name: string, part?: string) =>
    found.push(...(await accessibilityFaults(page, name, part)));

  await page.getByRole('link', { name: 'Run 8' }).waitFor();
  const task: Task = {
    id: 1,
    kind: 'import',
    title: 'Import birds',
    status: 'running',
    done: 3,
    total: 10,
    waitsFor: null,
    notes: [],
    result: null,
    error: null,
  };
  service.emit('task', task);
  await page.getByText('Import birds').waitFor();
  await look('runs under way and failed');
  await page.goto(`${service.url}#/runs/6`);
  await page.getByRole('alert').first().waitFor();
  await look('a failed run', 'main');
  await page.goto(`${service.url}#/runs/5`);
  await page.getByText('step 120 of 300').waitFor();
  await look('a running run', 'main');
  await page.goto(`${service.url}#/datasets`);
  service.emit('task', { ...task, status: 'failed', error });
  await page.getByText('Import birds: The disk is full.').waitFor();
  await look('a failed import', 'main');
  service.refuse();
  await page.getByText('The connection to the service is lost.').waitFor();
  await look('a lost connection');
  expect(found).toEqual([]);
  await page.context().close();
  await service.close();
});
