/** The bundles of the desktop app, run under plain Node: the service, the trainer and its workers find each other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { bundle } from '../../resources/scripts/bundle.ts';
import { drawImageFolder } from '../../src-main/sample/draw.ts';
import { targetSpecies } from '../../src-main/sample/species.ts';
import { writeTinyNetwork } from '../browser/tiny-network.ts';
import { cotune } from './cli-process.ts';

// As deep below the root as the real one, so that packages and files beside it are found in the same way.
const outFolder = fileURLToPath(new URL('../../dist/bundle-under-test/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cotune-bundle-'));
afterAll(() => {
  for (const path of [outFolder, folder]) rmSync(path, { recursive: true, force: true });
});

test('a run goes through from import to test accuracy', async () => {
  const more = {
    cotune: 'src-main/cli/main.ts',
    'bench-store-writer': 'src-main/service/bench-store-writer.ts',
  };
  await bundle({ outFolder, more });
  const species = targetSpecies.slice(0, 2);
  await drawImageFolder(join(folder, 'images'), { species, seed: 1, counts: { train: 8, test: 3 } });
  writeTinyNetwork(join(folder, 'tiny.safetensors'));
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await cotune([...args, '--home', join(folder, 'home'), '--json'], {
      launcher: join(outFolder, 'cotune.js'),
    });
    expect([stderr, code]).toEqual([stderr, 0]);
    return JSON.parse(stdout);
  };
  await run('import', join(folder, 'images'), '--name', 'images');
  await run('models', 'add', join(folder, 'tiny.safetensors'), '--name', 'tiny');
  const trained = await run(
    ...'train --dataset images --model tiny --method cotuning --steps 3 --batch 4 --size 32'.split(' '),
  );
  expect(trained).toMatchObject({ status: 'finished', test: { accuracy: expect.any(Number) } });
}, 300_000);
