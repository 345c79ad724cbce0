/** The whole job in a real browser against the real headless host: import, train, watch, reopen, inspect, compare. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawImageFolder } from '../../src-main/sample/draw.ts';
import { targetSpecies } from '../../src-main/sample/species.ts';
import { places } from '../../src-renderer/places.ts';
import { accessibilityFaults } from './accessibility.ts';
import { builtRenderer } from './built-renderer.ts';
import { chromiumPath, howToGetChromium, launch, openPage } from './chromium.ts';
import { dialogTitles } from './dialog-titles.ts';
import { type RealHost, startHost } from './real-host.ts';
import { writeTinyNetwork } from './tiny-network.ts';
import { walk } from './walk.ts';

const species = targetSpecies.slice(0, 4);
const folder = mkdtempSync(join(tmpdir(), 'cotune-story-'));
const images = join(folder, 'Käfer & Falter');
let browser: Browser | undefined;
let host: RealHost | undefined;
let url: string;

beforeAll(async () => {
  if (!chromiumPath) return;
  await builtRenderer();
  await drawImageFolder(images, { species, seed: 7, counts: { train: 15, test: 6 } });
  writeFileSync(join(images, 'train', species[0].name, 'broken.jpg'), 'this is no picture');
  writeTinyNetwork(join(folder, 'tiny.safetensors'));
  host = await startHost(folder);
  url = host.url;
  browser = await launch();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await host?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function importAndAddModel(page: Page) {
  await page
    .getByRole('heading', { name: 'Get more out of a pre-trained network, in three steps' })
    .waitFor();
  await page.getByRole('button', { name: 'Import data' }).click();
  await page.getByRole('button', { name: 'Browse: Folder' }).click();
  const browse = page.getByRole('dialog', { name: 'Choose a folder' });
  await browse.getByLabel('Path').fill(folder);
  await page.keyboard.press('Enter');
  await browse.getByRole('button', { name: 'Käfer & Falter' }).click();
  await browse.getByRole('button', { name: 'train' }).waitFor();
  await browse.getByRole('button', { name: 'Choose this folder' }).click();
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('link', { name: 'Käfer & Falter' }).click();
  await page.getByText('84 images · 4 classes').waitFor();
  await page.getByRole('link', { name: /^Findings/ }).click();
  await page.getByText('broken.jpg').first().waitFor();

  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByRole('button', { name: 'Add a model' }).first().click();
  await page.getByLabel('Weights', { exact: true }).fill(join(folder, 'tiny.safetensors'));
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('12 source classes').waitFor();

  await page.getByRole('link', { name: 'Which network?' }).click();
  await page.getByRole('button', { name: 'Rank networks' }).click();
  await page.getByRole('button', { name: 'Rank', exact: true }).click();
  await page.getByText('One network alone is not ranked').waitFor({ timeout: 40_000 });
}

async function startBothMethods(page: Page) {
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.getByRole('button', { name: 'New training' }).first().click();
  await page.getByLabel('Length', { exact: true }).fill('60');
  await page.getByText('More settings').click();
  await page.getByLabel('Batch size').fill('8');
  await page.getByLabel('Input, px').fill('32');
  await page.getByLabel('Validate every, steps').fill('20');
  await page.getByLabel('Engine').selectOption('cpu');
  await page.getByRole('button', { name: 'Start 2 trainings' }).click();
  await page.getByRole('link', { name: 'Run 2', exact: true }).waitFor();
}

/** Exports the predictions to where a file is already: it stays until its replacement is asked for, by its own name. */
async function exportOverAFile(page: Page) {
  const file = join(folder, 'predictions.csv');
  writeFileSync(file, 'precious');
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: /^Export run/ });
  await dialog.getByLabel('What').selectOption('csv');
  await dialog.getByLabel('Folder', { exact: true }).fill(folder);
  await dialog.getByLabel('File name').fill('predictions.csv');
  await dialog.getByRole('button', { name: 'Export', exact: true }).click();
  await dialog.getByText(`There is a file ${file} already.`).waitFor();
  const replace = dialog.getByRole('button', { name: 'Replace' });
  await replace.waitFor();
  await dialog.getByLabel('File name').fill('other.csv');
  expect(await replace.count()).toBe(0);
  await dialog.getByLabel('File name').fill('predictions.csv');
  expect(readFileSync(file, 'utf8')).toBe('precious');
  await replace.click();
  await dialog.getByRole('status').getByText(file).waitFor();
  expect(readFileSync(file, 'utf8')).toMatch(/^path,split,label,/);
  await page.keyboard.press('Escape');
}

const finished = (page: Page) => page.getByRole('list', { name: 'Runs', exact: true }).getByText('finished');

test('a folder and a network become two trained, inspected and compared runs', async (context) => {
  if (!chromiumPath) context.skip(howToGetChromium);
  const first = await openPage(browser!, url, { viewport: { width: 1280, height: 800 } });
  await importAndAddModel(first.page);
  await startBothMethods(first.page);

  // Watched live: the curve grows while the page stays open.
  await first.page.getByRole('link', { name: 'Run 1', exact: true }).click();
  const alert = first.page.getByRole('alert');
  await first.page.getByRole('figure', { name: 'Loss' }).or(alert).first().waitFor({ timeout: 40_000 });
  expect(await alert.allInnerTexts()).toEqual([]);
  expect(first.faults).toEqual([]);

  // The window closes while the queue works, and opens again on the same place.
  const place = first.page.url();
  expect(place).not.toContain('token');
  await first.page.close();
  const page = await first.page.context().newPage();
  page.setDefaultTimeout(15_000);
  const faults: string[] = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on(
    'response',
    (response) => response.status() >= 400 && faults.push(`${response.status()} ${response.url()}`),
  );
  await page.goto(place);
  await page.getByRole('heading', { name: 'Run #1' }).waitFor();
  await page.getByText('95%:').waitFor({ timeout: 40_000 });
  await page.getByRole('link', { name: /^Runs/ }).click();
  await expect.poll(() => finished(page).count(), { timeout: 40_000 }).toBe(2);

  // Inspected: classes, a confusion cell's images, a prediction, and what co-tuning learned.
  const table = page.getByRole('list', { name: 'Runs', exact: true });
  const cotuned = table.getByRole('listitem').filter({ hasText: 'Co-tuning' });
  await cotuned.getByRole('link').click();
  await page.getByRole('link', { name: 'Classes' }).click();
  for (const { name } of species) await page.getByRole('link', { name, exact: true }).waitFor();
  await page.getByRole('link', { name: 'Confusion' }).click();
  await page.getByRole('application', { name: 'Confusion matrix' }).focus();
  await page.getByRole('link', { name: 'Predictions' }).click();
  await page.getByText('24 images').waitFor();
  await page.getByRole('list', { name: 'Predictions' }).getByRole('button').first().click();
  await page.getByRole('dialog').getByRole('list', { name: 'Probabilities' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Try another image…' }).click();
  await page.getByLabel('Image', { exact: true }).fill(join(images, 'test', species[1].name, '000.jpg'));
  await page.getByRole('button', { name: 'Predict', exact: true }).click();
  await page.getByRole('list', { name: 'Probabilities of 000.jpg' }).waitFor();
  await page.keyboard.press('Escape');
  await exportOverAFile(page);
  await page.getByRole('link', { name: 'Relationship' }).click();
  await page.getByText('from the model’s metadata').waitFor();
  expect(
    await page
      .getByRole('list', { name: /^Strongest source classes of/ })
      .getByRole('listitem')
      .count(),
  ).toBe(12);

  // Compared, with what differs and an interval.
  await page.getByRole('link', { name: 'All runs' }).click();
  await page.getByLabel('Select run 1').check();
  await page.getByLabel('Select run 2').check();
  await page.getByRole('button', { name: 'Compare' }).click();
  const verdict = page.getByRole('region', { name: 'Verdict' });
  await verdict.getByRole('img', { name: /^B minus A: .*95% interval/ }).waitFor();
  await page.getByRole('cell', { name: 'method' }).waitFor();
  await page.getByText(species[0].name).first().waitFor();
  expect(faults).toEqual([]);

  // Another browser has no key: the page comes, says how to get in, and shows nothing else.
  const stranger = await openPage(browser!, place);
  await stranger.page.getByText('Open the URL that the terminal printed').waitFor();
  expect(await stranger.page.getByText('95%:').count()).toBe(0);
}, 120_000);

test('every screen and dialog is accessible, in both themes and by keyboard', async (context) => {
  if (!chromiumPath) context.skip(howToGetChromium);
  const { page, faults } = await openPage(browser!, url, { viewport: { width: 1100, height: 680 } });
  await page.getByRole('link', { name: 'Run 2', exact: true }).waitFor();
  const found: string[] = [];
  const walked = await walk(page, async ({ name, part }) => {
    found.push(...(await accessibilityFaults(page, name, part)));
  });
  expect(found).toEqual([]);
  expect(walked.faults).toEqual([]);
  // What the walk did not come to is not known to be accessible.
  expect(places.filter((place) => !walked.places.has(place))).toEqual([]);
  expect(dialogTitles().filter((title) => !walked.dialogs.some((opened) => title.test(opened)))).toEqual([]);
  expect(faults).toEqual([]);
}, 120_000);
