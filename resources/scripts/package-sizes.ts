/** What a packaged app holds, told from its archive: `npm run dist` prints it. */
import { join } from 'node:path';
import { type DirectoryRecord, getRawHeader } from '@electron/asar';
import type { AfterPackContext } from 'electron-builder';
import { columns, table } from '../../src-main/cli/text.ts';

export interface PackagedFile {
  /** From the app's root, with `/`. */
  path: string;
  bytes: number;
  /** Beside the archive, as a file of the system's: what is loaded as native code has to be. */
  unpacked: boolean;
}

/** Every file of an app, by its path. `archive`: its `app.asar`. */
export function packagedFiles(archive: string): PackagedFile[] {
  const found: PackagedFile[] = [];
  const walk = ({ files }: DirectoryRecord, folder: string) => {
    for (const [name, entry] of Object.entries(files)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if ('files' in entry) walk(entry, path);
      else found.push({ path, bytes: entry.size, unpacked: entry.unpacked ?? false });
    }
  };
  walk(getRawHeader(archive).header, '');
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The package that a file belongs to; of the app's own files, their folder or name. */
export const packageOf = (path: string): string =>
  /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? /^(?:dist\/)?[^/]+/.exec(path)![0];

/** A table of packages, the largest first, with their total. */
export function sizesTable(files: readonly PackagedFile[]): string {
  const sizes = [...Map.groupBy(files, ({ path }) => packageOf(path))].map(([name, own]) => ({
    name,
    files: own.length,
    unpacked: sum(own.filter(({ unpacked }) => unpacked)),
    total: sum(own),
  }));
  sizes.sort((a, b) => b.total - a.total);
  const total = {
    name: 'total',
    files: files.length,
    unpacked: sum(files.filter((file) => file.unpacked)),
    total: sum(files),
  };
  return table(
    columns('package', '#files', '#in the archive', '#beside it', '#KiB'),
    [...sizes, total].map((size) => [
      size.name,
      String(size.files),
      kib(size.total - size.unpacked),
      kib(size.unpacked),
      kib(size.total),
    ]),
  );
}

const sum = (files: readonly PackagedFile[]): number => files.reduce((total, { bytes }) => total + bytes, 0);
const kib = (bytes: number): string => Math.ceil(bytes / 1024).toLocaleString('en-US');

/** Told by electron-builder (its `afterPack`) of every app that it has put together. */
export function afterPack({ appOutDir, packager }: Pick<AfterPackContext, 'appOutDir' | 'packager'>): void {
  const archive = join(packager.getResourcesDir(appOutDir), 'app.asar');
  console.log(`\n${archive} holds, beside Electron itself:\n\n${sizesTable(packagedFiles(archive))}\n`);
}
