/** The job on texts in a real browser: CoNLL's columns and a small BERT become two trained, compared runs; a sentence is typed in. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyHome } from '../homes.ts';
import { writeTinyBert } from '../tiny-bert.ts';
import { accessibilityFaults } from './accessibility.ts';
import { builtRenderer } from './built-renderer.ts';
import { chromiumPath, howToGetChromium, launch, openPage } from './chromium.ts';
import { type RealHost, startHost } from './real-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-texts-'));
const corpus = join(folder, 'news');
const network = join(folder, 'tiny-bert');
let browser: Browser | undefined;
let host: RealHost | undefined;

const people = ['Ada Lovelace', 'Alan Turing', 'Grace Hopper', 'Emmy Noether'];
const towns = ['London', 'Berlin', 'New York', 'Paris'];

/** A sentence in columns: a person, a verb and a town. */
function sentence(number: number): string {
  const tagged = (name: string, type: string) =>
    name.split(' ').map((word, at) => `${word} ${at === 0 ? 'B' : 'I'}-${type}`);
  const [person, town] = [people[number % 4], towns[(number >> 2) % 4]];
  const verb = ['visits', 'left', 'likes'][number % 3];
  return [...tagged(person, 'PER'), `${verb} O`, ...tagged(town, 'LOC'), '. O'].join('\n');
}

function writeCorpus(): void {
  mkdirSync(corpus);
  const part = (name: string, from: number, count: number) =>
    writeFileSync(
      join(corpus, name),
      `${Array.from({ length: count }, (_, at) => sentence(from + 5 * at)).join('\n\n')}\n`,
    );
  part('train.txt', 0, 32);
  part('valid.txt', 1, 8);
  part('test.txt', 2, 12);
}

beforeAll(async () => {
  if (!chromiumPath) return;
  await builtRenderer();
  writeCorpus();
  writeTinyBert(network, [...people, ...towns, 'visits left likes .']);
  host = await startHost(folder);
  browser = await launch();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await host?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('tagged sentences and a BERT become two trained, inspected and compared runs', async (context) => {
  if (!chromiumPath) context.skip(howToGetChromium);
  const { page, faults } = await openPage(browser!, host!.url);
  const inaccessible: string[] = [];
  const look = async (name: string, part = 'main') => {
    inaccessible.push(...(await accessibilityFaults(page, name, part)));
  };

  await page.getByRole('button', { name: 'Import data' }).click();
  await page.getByLabel('Folder', { exact: true }).fill(corpus);
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('link', { name: 'news', exact: true }).click();
  await page.getByText('52 sentences · 2 types of entities').waitFor();
  await look('texts');
  await page.getByRole('button', { name: /^PER/ }).click();
  await page.getByLabel('Find in the texts').fill('Berlin');
  await page.keyboard.press('Enter');
  const texts = page.getByRole('list', { name: 'Texts' });
  await texts.getByRole('button').first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('region', { name: 'Text' }).locator('mark', { hasText: 'Berlin' }).waitFor();
  // Another one with the same words, which a finding sets beside it.
  await dialog
    .getByRole('button', { name: /Berlin.*train\.txt/ })
    .first()
    .waitFor();
  await look('a text', 'dialog[open]');
  await page.keyboard.press('Escape');

  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByRole('button', { name: 'Add a model' }).first().click();
  // What a file dialog can choose of a folder stands for it.
  await page.getByLabel('Weights', { exact: true }).fill(join(network, 'config.json'));
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('tiny-bert');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('64 pieces').first().waitFor();

  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.getByRole('button', { name: 'New training' }).first().click();
  await page.getByLabel('Length', { exact: true }).fill('20');
  await page.getByText('More settings').click();
  await page.getByLabel('Batch size').fill('8');
  await page.getByLabel('Input, pieces').fill('32');
  await page.getByLabel('Learning rate', { exact: true }).fill('0.01');
  await page.getByLabel('Engine').selectOption('cpu');
  await look('a training of texts', 'dialog[open]');
  await page.getByRole('button', { name: 'Start 2 trainings' }).click();
  const runs = page.getByRole('list', { name: 'Runs', exact: true });
  await expect.poll(() => runs.getByText('finished').count(), { timeout: 60_000 }).toBe(2);

  await runs.getByRole('listitem').filter({ hasText: 'Co-tuning' }).getByRole('link').click();
  await page.getByText('Test entity F1').waitFor();
  await page.getByRole('link', { name: 'Types' }).click();
  await page.getByRole('link', { name: 'LOC', exact: true }).waitFor();
  await look('types');
  await page.getByRole('link', { name: 'Predictions' }).click();
  await page.getByText('12 sentences').waitFor();
  await page.getByRole('list', { name: 'Predictions' }).getByRole('button').first().waitFor();
  await look('predictions of sentences');
  await page.getByRole('list', { name: 'Predictions' }).getByRole('button').first().click();
  await dialog.getByText('Above the words is what is there').waitFor();
  await look('a predicted sentence', 'dialog[open]');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Try another sentence…' }).click();
  await page.getByLabel('Text', { exact: true }).fill('Ada Lovelace visits Berlin .');
  await page.getByRole('button', { name: 'Predict', exact: true }).click();
  await dialog.getByText('Lovelace').waitFor();
  await look('a text that was typed', 'dialog[open]');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Relationship' }).click();
  await page.getByLabel('Find a source class').fill('Ber');
  await page.getByRole('list', { name: /^Target classes by p/ }).waitFor();
  await look('a relationship from its source side');

  await compare(page);
  await look('two runs of texts');
  expect(inaccessible).toEqual([]);
  expect(faults).toEqual([]);
}, 120_000);

test('a home of before there were texts shows and compares its image runs as it did', async (context) => {
  if (!chromiumPath) context.skip(howToGetChromium);
  const old = join(folder, 'old');
  mkdirSync(join(old, 'home'), { recursive: true });
  copyHome(17, join(old, 'home'));
  const older = await startHost(old);
  try {
    const { page } = await openPage(browser!, older.url);
    const go = (place: string) =>
      page.evaluate((hash) => {
        location.hash = hash;
      }, place);
    await page.getByRole('list', { name: 'Runs', exact: true }).getByText('45.9%').first().waitFor();
    await go('#/runs/7');
    await page.getByText('Test accuracy').waitFor();
    await page.getByText('45.9%').first().waitFor();
    await go('#/compare?runs=6,7&a=6&b=7');
    const verdict = page.getByRole('region', { name: 'Verdict' });
    await verdict.getByText('2 test images').waitFor();
    await page.getByRole('heading', { name: 'Recall by class, B − A' }).waitFor();
    await go('#/datasets/insects');
    await page.getByText('10 images · 2 classes').waitFor();
  } finally {
    await older.stop();
  }
}, 60_000);

/** Two runs by entity F1, with an interval; a sentence that changed opens, where there is one. */
async function compare(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'All runs' }).click();
  await page.getByLabel('Select run 1').check();
  await page.getByLabel('Select run 2').check();
  await page.getByRole('button', { name: 'Compare' }).click();
  const verdict = page.getByRole('region', { name: 'Verdict' });
  await verdict.getByRole('img', { name: /^B minus A: .*95% interval/ }).waitFor();
  await page.getByRole('heading', { name: 'Recall by type, B − A' }).waitFor();
  await page.getByRole('heading', { name: 'Texts that changed' }).waitFor();
  for (const kind of ['Fixed', 'Broken']) {
    const choice = page.locator('label', { hasText: `${kind} by B` });
    if (!/[1-9]/.test((await choice.textContent())!)) continue;
    await choice.click();
    await page
      .getByRole('list', { name: /^Texts (fixed|broken)/ })
      .getByRole('button')
      .first()
      .click();
    await page.getByRole('heading', { name: 'What B predicts, below what is there' }).waitFor();
    await page.keyboard.press('Escape');
    return;
  }
}
