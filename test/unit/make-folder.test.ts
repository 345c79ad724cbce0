import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from '../../src-main/formats/make-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-make-folder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a folder is made with those above it, and once there it stays', () => {
  const path = join(folder, 'runs', '2', '1');
  makeFolder(path);
  makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test('a folder that cannot be made is named with the reason', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeFolder(join(folder, 'file', '2', '1'))).toThrow(
    expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('not a folder') }),
  );
});
