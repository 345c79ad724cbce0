/** Tags of sentences changed by keyboard alone: in the review of findings, and where a sentence is read. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../src-main/hosts/headless/server.ts';
import type { Service } from '../../src-main/service/service.ts';
import { type Fixture, finishTask, makeFixture, open } from '../contract/fixture.ts';
import { accessibilityFaults } from './accessibility.ts';
import { builtRenderer } from './built-renderer.ts';
import { chromiumPath, howToGetChromium, launch, openPage } from './chromium.ts';

let browser: Browser | undefined;
let fixture: Fixture;
let service: Service;
let server: RunningServer;

const columns = (...sentences: string[]) =>
  sentences.map((sentence) => `${sentence.split(' ').join('\n').replaceAll('/', ' ')}\n`).join('\n');

beforeAll(async () => {
  if (!chromiumPath) return;
  const rendererFolder = await builtRenderer();
  fixture = await makeFixture(0);
  const news = join(fixture.root, 'news');
  mkdirSync(news);
  const sentences = ['Ada/B-PER Lovelace/I-PER left/O London/B-LOC ./O', 'Bob/B-PER met/O Ada/B-PER'];
  writeFileSync(join(news, 'train.txt'), columns(...sentences, sentences[0].replace('B-LOC', 'B-ORG')));
  writeFileSync(join(news, 'test.txt'), columns('Turing/B-PER left/O IBM/B-ORG'));
  service = await open(fixture);
  await finishTask(service, await service.call('datasets.import', { path: news, name: 'news' }));
  server = await startServer({ service, folders: [], port: 0, rendererFolder });
  browser = await launch();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  if (!fixture) return;
  await server.close();
  await service.close();
  fixture.remove();
});

const changes = async () =>
  (await service.call('datasets.edits', { dataset: 'news' })).edits.map(({ target, after, finding }) => [
    target,
    after,
    finding,
  ]);

test('a sentence gets other tags by keys: those suggested by one, any others in an editor; each is undone', async (context) => {
  if (!chromiumPath) context.skip(howToGetChromium);
  const { page, faults } = await openPage(browser!, server.url);
  await page.getByRole('link', { name: 'Datasets' }).waitFor();
  const go = (place: string) =>
    page.evaluate((hash) => {
      location.hash = hash;
    }, place);
  await go('#/datasets/news?tab=review&kind=label-conflict');
  await page.getByText('“London” is ORG here, LOC there').waitFor();

  await page.keyboard.press('4');
  await page.getByText('That was the last one').waitFor();
  expect(await changes()).toEqual([['train.txt:11', 'B-PER I-PER O B-LOC O', 'label-conflict']]);
  await page.keyboard.press('u');
  await page.getByText('“London” is ORG here, LOC there').waitFor();
  expect(await changes()).toEqual([]);

  await page.keyboard.press('3');
  const words = page.getByRole('listbox', { name: 'Words' });
  await words.waitFor();
  expect(await accessibilityFaults(page, 'the editor of tags')).toEqual([]);
  const chosen = () => words.getByRole('option', { selected: true }).allTextContents();
  // An entity is selected as a whole, and less of it by letting go of a word.
  expect(await chosen()).toEqual(['Ada PER', 'Lovelace PER']);
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('3');
  expect(await chosen()).toEqual(['Ada PER']);
  await page.keyboard.press('u');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  expect(await chosen()).toEqual(['London ORG']);
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: 'New type' }).waitFor();
  await page.keyboard.type('lo');
  await page.keyboard.press('Enter');
  await words.getByRole('option', { name: 'London LOC' }).waitFor();
  await page.keyboard.press('s');
  await page.getByText('That was the last one').waitFor();
  expect(await changes()).toEqual([['train.txt:11', 'B-PER I-PER O B-LOC O', 'label-conflict']]);

  const { samples } = await service.call('datasets.samples', { dataset: 'news', search: 'Turing' });
  await go(`#/datasets/news?sample=${samples[0].id}&at=0`);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Change tags…' }).waitFor();
  for (let tries = 0; tries < 9; tries++) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement?.textContent)) === 'Change tags…') break;
  }
  await page.keyboard.press('Enter');
  await dialog.getByRole('listbox', { name: 'Words' }).waitFor();
  expect(await accessibilityFaults(page, 'the editor of tags in a sentence', 'dialog[open]')).toEqual([]);
  // Arrows are the editor's: no other sentence comes.
  await page.keyboard.press('End');
  await page.keyboard.press('Delete');
  await page.keyboard.press('s');
  await dialog.getByRole('region', { name: 'Text' }).getByText('IBM').waitFor();
  // The text is there with its old tags until the new ones come.
  await dialog.locator('mark', { hasText: 'IBM' }).waitFor({ state: 'detached' });
  expect(await dialog.locator('mark').allTextContents()).toEqual(['Turing PER']);
  expect((await changes())[0]).toEqual([samples[0].path, 'B-PER O O', null]);
  await dialog.getByRole('button', { name: 'Undo' }).press('Enter');
  await dialog.locator('mark', { hasText: 'IBM' }).waitFor();
  expect(await changes()).toHaveLength(1);
  // A type that nobody has used yet is typed as a known one is.
  await dialog.getByRole('button', { name: 'Change tags…' }).press('Enter');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('BRAND');
  await dialog.getByRole('option', { name: 'New type “BRAND”' }).waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('s');
  await dialog.locator('mark', { hasText: 'BRAND' }).waitFor();
  expect((await changes())[0]).toEqual([samples[0].path, 'B-PER O B-BRAND', null]);
  expect(faults).toEqual([]);
}, 60_000);
