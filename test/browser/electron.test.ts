/** The desktop shell, where Electron's program is there. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bundle } from '../../resources/scripts/bundle.ts';
import { type Fixture, fill, makeFixture, open } from '../contract/fixture.ts';
import { builtRenderer } from './built-renderer.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('the desktop app', () => {
  const program = electronProgram();
  let fixture: Fixture;
  let app: ElectronApplication;
  let page: Page;

  const start = () =>
    _electron.launch({
      executablePath: program!,
      args: [root, `--home=${fixture.home}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    });

  beforeAll(async () => {
    if (!program) return;
    fixture = await makeFixture();
    const service = await open(fixture);
    await fill(service, fixture);
    await service.close();
    await builtRenderer();
    await bundle();
    app = await start();
    page = await app.firstWindow();
  });
  afterAll(async () => {
    await app?.close();
    fixture?.remove();
  });
  beforeEach((context) => {
    if (!program) context.skip("Electron's program is not downloaded (npm start does it where a network is)");
  });

  test('shows the renderer under its own protocol, without console errors', async () => {
    const faults: string[] = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    expect(page.url()).toMatch(/^cotune:\/\/app\//);
    await page.getByText('Datasets').first().click();
    await page.getByText('insects').first().waitFor();
    expect(faults).toEqual([]);
  });

  test('loads pictures by image number', async () => {
    const status = await page.evaluate(async () => (await fetch('images/1/thumb')).status);
    expect(status).toBe(200);
  });

  test('the page is sandboxed and sees only the bridge', async () => {
    const seen = await page.evaluate(() => [
      typeof (globalThis as { require?: unknown }).require,
      typeof (globalThis as { process?: unknown }).process,
      Object.keys((globalThis as { cotune?: object }).cotune ?? {}).sort(),
    ]);
    expect(seen).toEqual(['undefined', 'undefined', ['connect', 'pickFile', 'pickFolder']]);
  });

  test('new windows, navigation, foreign requests and permissions are denied', async () => {
    const denied = await page.evaluate(async () => {
      const opened = window.open('https://example.org/');
      const fetched = await fetch('https://example.org/').then(
        () => true,
        () => false,
      );
      const notification = await Notification.requestPermission();
      location.href = 'https://example.org/';
      return [opened, fetched, notification];
    });
    expect(denied).toEqual([null, false, 'denied']);
    expect(page.url()).toMatch(/^cotune:\/\/app\//);
  });

  test('comes back where its window was', async () => {
    const bounds = { x: 40, y: 40, width: 900, height: 600 };
    await app.evaluate(
      ({ BrowserWindow }, place) => BrowserWindow.getAllWindows()[0].setBounds(place),
      bounds,
    );
    await app.close();
    const state = JSON.parse(readFileSync(join(fixture.home, 'window.json'), 'utf8'));
    expect(state.bounds).toMatchObject({ width: 900, height: 600 });
    app = await start();
    page = await app.firstWindow();
    const [width] = await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].getSize());
    expect(width).toBe(900);
  });
});

/** Electron's program in its package, where it has been downloaded. */
function electronProgram(): string | null {
  const folder = dirname(createRequire(import.meta.url).resolve('electron'));
  const note = join(folder, 'path.txt');
  const path = existsSync(note) ? join(folder, 'dist', readFileSync(note, 'utf8')) : '';
  return existsSync(path) && path !== '' ? path : null;
}
