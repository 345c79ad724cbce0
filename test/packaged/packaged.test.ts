/**
 * What `npm run dist` makes, with a stand-in for Electron's own files: the archive holds what the app needs and nothing else, and
 * from it, far from the clone's packages, the app's own programs do the whole job.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { extractAll } from '@electron/asar';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type PackagedFile,
  packagedFiles,
  packageOf,
  sizesTable,
} from '../../resources/scripts/package-sizes.ts';
import { drawImageFolder } from '../../src-main/sample/draw.ts';
import { sampleFiles } from '../../src-main/sample/recipe.ts';
import { targetSpecies } from '../../src-main/sample/species.ts';
import { builtRenderer } from '../browser/built-renderer.ts';
import { until } from '../contract/fixture.ts';
import { type App, startApp } from './app.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cotune-packaged-'));
const unpacked = process.arch === 'x64' ? 'linux-unpacked' : `linux-${process.arch}-unpacked`;
const resources = join(folder, 'packages', unpacked, 'resources');
const archive = join(resources, 'app.asar');
/** What Electron makes of the archive and the files beside it. */
const appFolder = join(folder, 'app');
const pictures = join(folder, 'pictures');
const builds =
  process.platform === 'linux' ? null : 'the folder that is looked at is that of a Linux package';
/** What the fuses of a program are found by: of the first version, eight of them. */
const fuseMark = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX\u0001\u0008';

let files: PackagedFile[];

beforeAll(async () => {
  if (builds) return;
  await builtRenderer();
  const electron = join(folder, 'electron');
  mkdirSync(electron);
  writeFileSync(join(electron, 'electron'), `${fuseMark}11111111`, { mode: 0o755 });
  const options = [`-c.electronDist=${electron}`, `-c.directories.output=${join(folder, 'packages')}`];
  await promisify(execFile)(process.execPath, ['resources/scripts/dist.ts', '--linux', 'dir', ...options], {
    cwd: root,
  });
  files = packagedFiles(archive);
  extractAll(archive, appFolder);
  console.log(sizesTable(files));
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
beforeEach((context) => {
  if (builds) context.skip(builds);
});

describe('the package', () => {
  test('holds the packages that are needed as such, each with what its license asks for', () => {
    const packages = new Set(files.map(({ path }) => packageOf(path)));
    const libvips = '@img/sharp-libvips-';
    const [platform = ''] = [...packages].flatMap((name) =>
      name.startsWith(libvips) ? [name.slice(libvips.length)] : [],
    );
    expect(platform).toMatch(new RegExp(`^linux(musl)?-${process.arch}$`));
    expect(packages).toEqual(
      new Set([
        ...['LICENSE', 'dist/electron', 'dist/renderer', 'package.json', 'resources'],
        ...['better-sqlite3', 'onnxruntime-node', 'onnxruntime-common', 'sharp', 'detect-libc', 'semver'],
        ...['@img/colour', `@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`],
      ]),
    );
    const bundled = read('dist/electron/licenses.md') + read('dist/renderer/licenses.md');
    for (const name of ['@tensorflow/tfjs-core', 'env-paths', 'svelte', 'uplot', 'yaml', 'zod'])
      expect(bundled).toContain(`## ${name} - `);
    const libraries = join(resources, 'licenses', `sharp-libvips-${platform}`, 'README.md');
    expect(readFileSync(libraries, 'utf8')).toContain('## Licensing');
  });

  test('keeps native code beside the archive, for this platform alone', () => {
    // Of a library inside the archive Electron makes a copy at every start, which finds none of the libraries beside it.
    const native = files.filter(({ path }) => isNative(readFileSync(join(appFolder, path))));
    expect(native.filter(({ unpacked }) => !unpacked)).toEqual([]);
    expect(new Set(native.map(({ path }) => packageOf(path))).size).toBe(4);
    const machine = { x64: 0x3e, arm64: 0xb7 }[process.arch as string];
    for (const { path } of native)
      expect([path, readFileSync(join(appFolder, path)).readUInt16LE(18)]).toEqual([path, machine]);
  });

  test('is a hardened app', () => {
    const program = readFileSync(join(resources, '..', 'cotuning-studio'), 'latin1');
    // No Node mode, encrypted cookies, no Node options, no inspector, a checked archive, nothing but the archive; the
    // snapshot is Electron's; no rights for file addresses.
    expect(program.split(fuseMark)[1].slice(0, 8)).toBe('01001110');
  });

  test('carries no sources, types, maps, tests or documents along', () => {
    const kinds =
      /\.(ts|mts|cts|map|h|c|cc|cpp|gyp|markdown|flow|bnf|sh)$|\/(tests?|docs?|examples?|coverage)\//;
    expect(files.filter(({ path }) => kinds.test(path))).toEqual([]);
    const documents = files.filter(({ path }) => path.endsWith('.md') && !/licenses?\.md$/i.test(path));
    expect(documents).toEqual([]);
  });
});

describe('the packaged app', () => {
  let app: App;
  beforeAll(async () => {
    if (builds) return;
    await drawImageFolder(pictures, {
      species: targetSpecies.slice(0, 2),
      seed: 1,
      counts: { train: 8, test: 3 },
    });
    app = await startApp(appFolder, join(folder, 'home'));
  });
  afterAll(() => app?.kill());

  test('serves every file of the renderer under its own address, and lets no request out', async () => {
    const served = files.filter(({ path }) => /^dist\/renderer\/.*\.(html|js|css|svg)$/.test(path));
    expect(served.length).toBeGreaterThan(3);
    for (const { path } of served) {
      const { status, body } = await app.fetch(`${app.url}${path.replace('dist/renderer/', '')}`);
      expect([path, status, body.equals(readFileSync(join(appFolder, path)))]).toEqual([path, 200, true]);
    }
    expect(app.url).toBe('cotune://app/');
    expect((await app.fetch('https://example.org/')).status).toBe(0);
  });

  test('imports, trains, predicts and exports', async () => {
    const task = await app.call('datasets.import', { path: pictures, name: 'pictures' });
    await until(async () => {
      const { status, error } = (await app.call('tasks.list', {})).find(({ id }) => id === task.id)!;
      expect(error).toBeNull();
      return status === 'finished' || undefined;
    });
    const { samples } = await app.call('datasets.samples', { dataset: 'pictures' });
    expect(samples).toHaveLength(22);
    const thumb = await app.fetch(`${app.url}images/${samples[0].id}/thumb`);
    expect([thumb.status, thumb.type]).toEqual([200, 'image/webp']);

    const { weights: path, classes: classesPath } = sampleFiles;
    await expect(app.call('models.add', { path, name: 'wrong', classesPath: 'imagenet-1k' })).rejects.toThrow(
      '1000',
    );
    await app.call('models.add', { path, name: 'sample', classesPath });
    const { id: run } = await app.call('runs.start', {
      dataset: 'pictures',
      model: 'sample',
      method: 'cotuning',
      steps: 3,
      batch: 4,
      size: 32,
    });
    const trained = await until(async () => {
      const { status, error, test } = await app.call('runs.get', { run });
      expect(error).toBeNull();
      return status === 'finished' ? test : undefined;
    });
    expect(trained).toMatchObject({ accuracy: expect.any(Number) });

    const image = join(pictures, samples[0].path);
    const [predicted] = await app.call('runs.predict', { run, paths: [image] });
    expect(predicted.top.map(({ name }) => name).sort()).toEqual(
      targetSpecies
        .slice(0, 2)
        .map(({ name }) => name)
        .sort(),
    );
    const exported = join(folder, 'pictures.onnx');
    await app.call('runs.export', { run, format: 'onnx', path: exported });
    const { vectors } = await app.call('exports.verify', { path: exported });
    expect(vectors.map(({ holds }) => holds)).toEqual([true, true, true, true, true]);
  }, 120_000);

  test('ends when it is quit, and has complained of nothing', async () => {
    expect(await app.quit()).toEqual({ code: 0, stderr: '' });
  });
});

const read = (path: string): string => readFileSync(join(appFolder, path), 'utf8');

/** ELF, Windows' and macOS's formats, by how they begin. */
const isNative = (bytes: Buffer): boolean =>
  /^(7f454c46|4d5a|cafebabe|cffaedfe|feedfacf)/.test(bytes.subarray(0, 4).toString('hex'));
