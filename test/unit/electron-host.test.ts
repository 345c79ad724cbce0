import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { electronBinary } from '../../src-main/cli/electron-binary.ts';
import { answerRequest, isAppUrl, isOwnPage } from '../../src-main/hosts/electron/app-protocol.ts';
import {
  placeWindow,
  readWindowState,
  writeWindowState,
} from '../../src-main/hosts/electron/window-state.ts';
import { CotuneError } from '../../src-shared/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-shell-'));
  mkdirSync(join(folder, 'renderer'));
  writeFileSync(join(folder, 'renderer', 'index.html'), '<!doctype html>');
  writeFileSync(join(folder, 'secret.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the app protocol', () => {
  const service = {
    picture: async (sample: number, size: string) => {
      if (sample !== 3) throw new CotuneError('not-found', `There is no image ${sample}.`);
      return { data: Buffer.from(size), contentType: 'image/webp' };
    },
  };
  const get = (url: string, method = 'GET') =>
    answerRequest({ url, method }, service, join(folder, 'renderer'));

  test('serves the page under a policy without unsafe sources', async () => {
    const answer = await get('cotune://app/');
    expect([answer.status, await answer.text()]).toEqual([200, '<!doctype html>']);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
  });

  test('serves pictures by image number', async () => {
    const answer = await get('cotune://app/images/3/thumb');
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['image/webp', 'thumb']);
    expect((await get('cotune://app/images/4/thumb')).status).toBe(404);
  });

  test.each([
    'cotune://app/../secret.json',
    'cotune://app/%2e%2e/secret.json',
    'cotune://app/..%2fsecret.json',
    'cotune://app/..%5csecret.json',
    'cotune://app/images/3/..%2f..%2fsecret.json',
  ])('%s does not leave the folder', async (url) => {
    expect((await get(url)).status).toBe(404);
  });

  test.each([
    'cotune://evil/',
    'cotune://app.evil/',
    'cotune://app@evil/',
    'https://app/',
    'file:///etc/passwd',
    '',
  ])('an address of another host, «%s», is refused', async (url) => {
    expect((await get(url)).status).toBe(403);
  });

  test('anything but GET is refused', async () => {
    expect((await get('cotune://app/', 'POST')).status).toBe(405);
  });
});

describe('who may speak', () => {
  test('the app page itself may', () => {
    expect(isOwnPage({ url: 'cotune://app/', parent: null })).toBe(true);
    expect(isOwnPage({ url: 'cotune://app/index.html#/runs/3', parent: null })).toBe(true);
  });

  test('a frame inside it, a page elsewhere and a page that is gone may not', () => {
    expect(isOwnPage({ url: 'cotune://app/', parent: {} })).toBe(false);
    expect(isOwnPage({ url: 'https://evil.example/', parent: null })).toBe(false);
    expect(isOwnPage({ url: 'cotune://app.evil.example/', parent: null })).toBe(false);
    expect(isOwnPage({ url: 'about:blank', parent: null })).toBe(false);
    expect(isOwnPage(null)).toBe(false);
  });

  test.each(['javascript:alert(1)', 'cotune:app', 'cotune:/app/', 'COTUNE2://app/', 'data:text/html,x'])(
    'navigation to %s is not one of the app',
    (url) => expect(isAppUrl(url)).toBe(false),
  );
});

describe('the window', () => {
  const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }];
  const at = (x: number, y: number, width = 1000, height = 700) => ({
    bounds: { x, y, width, height },
    maximized: false,
  });

  test('comes back where it was', () => {
    const path = join(folder, 'state', 'window.json');
    writeWindowState(path, at(100, 50));
    expect(placeWindow(readWindowState(path), screens)).toEqual({ x: 100, y: 50, width: 1000, height: 700 });
  });

  test.each([
    ['on a screen that is gone', at(2500, 0)],
    ['above every screen', at(0, -500)],
    ['below every screen', at(0, 1070)],
    ['nowhere', null],
  ])('that was last %s opens at its usual size', (_, state) => {
    expect(placeWindow(state, screens)).toEqual({ width: 1280, height: 860 });
  });

  test('is no larger than a small screen, and no smaller than it can be used', () => {
    expect(placeWindow(null, [{ x: 0, y: 0, width: 1024, height: 600 }])).toEqual({
      width: 1024,
      height: 600,
    });
    expect(placeWindow(at(10, 10, 100, 100), screens)).toEqual({ x: 10, y: 10, width: 720, height: 480 });
  });

  test.each([
    '',
    'null',
    '{"bounds":{}}',
    '{"bounds":{"x":"1","y":0,"width":1,"height":1},"maximized":true}',
  ])('opens as on the first day when its state file holds «%s»', (text) => {
    writeFileSync(join(folder, 'damaged.json'), text);
    expect(readWindowState(join(folder, 'damaged.json'))).toBeNull();
  });
});

describe('the Electron program', () => {
  const pack = () => {
    const root = mkdtempSync(join(folder, 'electron-'));
    writeFileSync(join(root, 'index.js'), '');
    return root;
  };
  const screen = { DISPLAY: ':0' };

  test('is found where it is downloaded', async () => {
    const root = pack();
    mkdirSync(join(root, 'dist'));
    writeFileSync(join(root, 'dist', 'electron'), '');
    writeFileSync(join(root, 'path.txt'), 'electron');
    expect(await electronBinary(join(root, 'index.js'), screen)).toEqual({
      path: join(root, 'dist', 'electron'),
    });
  });

  test('that cannot be downloaded is said to be so, at once', async () => {
    const environment = { ...screen, ELECTRON_MIRROR: 'http://127.0.0.1:9/' };
    expect(await electronBinary(join(pack(), 'index.js'), environment)).toEqual({
      reason: 'Electron is not downloaded, and 127.0.0.1:9 cannot be reached',
    });
  });

  test('is not started where there is no screen', async (ctx) => {
    if (process.platform !== 'linux') ctx.skip('only Linux says by its environment that there is no screen');
    expect(await electronBinary(join(pack(), 'index.js'), {})).toEqual({ reason: 'there is no screen' });
  });
});
