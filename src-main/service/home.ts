import { accessSync, constants, mkdirSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';

/** The data folder: where everything that the program keeps lives. */
export interface Home {
  readonly root: string;
  readonly database: string;
  /** Caches by content: safe to delete. */
  readonly cache: string;
  /** What of archives cannot be read where it is; in the cache. */
  readonly unpacked: string;
  /** Datasets that are being unpacked; in the cache. */
  readonly unpacking: string;
  /** Datasets that were unpacked, a folder each. */
  readonly datasets: string;
  /** Downloads that are not whole yet. */
  readonly downloads: string;
  modelFile(hash: string): string;
  runFolder(run: number): string;
  /** Path as stored: relative to the data folder, forward slashes, so that the folder can be moved. */
  toStored(path: string): string;
  fromStored(path: string): string;
}

/** The database of a data folder, whether or not it is there. */
export const databaseOf = (folder: string): string => join(resolve(folder), 'cotune.sqlite');

/** Makes the data folder if it is not there. Errors: `unavailable` where it cannot be made or written. */
export function openHome(folder: string): Home {
  const root = resolve(folder);
  const home: Home = {
    root,
    database: databaseOf(folder),
    cache: join(root, 'cache'),
    unpacked: join(root, 'cache', 'unpacked'),
    unpacking: join(root, 'cache', 'unpacking'),
    datasets: join(root, 'datasets'),
    downloads: join(root, 'downloads'),
    modelFile: (hash) => join(root, 'models', `${hash}.safetensors`),
    runFolder: (run) => join(root, 'runs', String(run)),
    toStored: (path) => {
      const inside = relative(root, path);
      return isAbsolute(inside) || inside.startsWith('..') ? path : inside.split(sep).join('/');
    },
    fromStored: (path) => (isAbsolute(path) ? path : join(root, path)),
  };
  try {
    const folders = [home.cache, home.unpacked, home.unpacking, join(root, 'models'), join(root, 'runs')];
    for (const path of [root, ...folders]) {
      mkdirSync(path, { recursive: true });
      accessSync(path, constants.W_OK);
    }
  } catch (error) {
    throw new CotuneError(
      'unavailable',
      `The data folder ${root} cannot be written (${(error as Error).message}).`,
      'Choose another with --home, or change its permissions.',
      { cause: error },
    );
  }
  return home;
}
