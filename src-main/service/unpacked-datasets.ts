import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ImportChoice } from '../../src-shared/contract.ts';
import type { SampleIssue } from '../../src-shared/domain.ts';
import { stampOf } from '../data/file-stamp.ts';
import { untilAborted } from '../data/import-images.ts';
import type { DatasetPlace } from '../data/list-images.ts';
import type { TreeOrigin } from '../data/write-tree.ts';
import { contentKey } from '../formats/content-cache.ts';
import { writeWhole } from '../formats/write-whole.ts';
import type { Base } from './base.ts';
import type { TaskWork } from './tasks.ts';

/** Beside the files of an unpacked dataset, hidden from imports. */
const originName = '.unpacked.json';
/** Longer than an import takes from unpacking to its end. */
const unusedAfterMs = 86_400_000;

interface Origin extends TreeOrigin {
  folder: string;
}

/** Where a dataset that lies in archives is once it is unpacked: one folder for it, whatever state it is in. */
export const unpackedPlace = (
  { home }: Pick<Base, 'home'>,
  { folder, file }: DatasetPlace,
): DatasetPlace => ({
  folder: join(home.datasets, contentKey({ what: 'unpacked-dataset', folder, file }).slice(0, 16)),
  file: null,
});

/**
 * Makes sure that a dataset is unpacked as its archives are now. A reader writes it in the cache, which is all that it may write; it
 * moves to its place whole. Errors: as `writeTree`; the signal's reason.
 */
export async function unpackDataset(
  { home, reader }: Pick<Base, 'home' | 'reader'>,
  dataset: DatasetPlace,
  choice: ImportChoice,
  task: TaskWork,
): Promise<void> {
  const { folder: target } = unpackedPlace({ home }, dataset);
  const known = readOrigin(target);
  if (known && (await isCurrent(known))) return;
  const working = join(home.unpacking, randomUUID());
  await mkdir(working, { recursive: true });
  try {
    const input = { dataset, choice, unpackedFolder: home.unpacked, to: working };
    const written = await untilAborted(
      reader.read('write-dataset', input, dataset.folder, ({ done, total }) => task.progress(done, total)),
      task.signal,
    );
    const origin: Origin = { folder: dataset.folder, ...written };
    writeWhole(join(working, originName), [Buffer.from(JSON.stringify(origin))]);
    await mkdir(home.datasets, { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(working, target);
  } finally {
    await rm(working, { recursive: true, force: true });
  }
}

/** What the archives of an unpacked dataset held that is not read; nothing where it is none. */
export const issuesBefore = (
  { home }: Pick<Base, 'home'>,
  { folder }: DatasetPlace,
): readonly SampleIssue[] => (dirname(folder) === home.datasets ? (readOrigin(folder)?.issues ?? []) : []);

function readOrigin(target: string): Origin | null {
  try {
    return JSON.parse(readFileSync(join(target, originName), 'utf8'));
  } catch {
    // Never written, or spoiled: it is unpacked anew.
    return null;
  }
}

/** Whether its archives are what they were; one that is gone takes nothing away. */
async function isCurrent({ folder, stamps }: Origin): Promise<boolean> {
  for (const [archive, stamp] of Object.entries(stamps)) {
    const path = join(folder, archive);
    if (existsSync(path) && (stamp === null || (await stampOf(path)) !== stamp)) return false;
  }
  return true;
}

/** Removes what was unpacked for a dataset, where its folder is such a one and no row knows it any more. */
export function removeUnpacked({ home, store }: Pick<Base, 'home' | 'store'>, folder: string): void {
  if (dirname(folder) === home.datasets && !store.datasets.folders().has(folder))
    rmSync(folder, { recursive: true, force: true });
}

/** Removes what was unpacked for datasets that no row knows any more, and what ended while it was unpacked. */
export async function removeUnused({ home, store }: Pick<Base, 'home' | 'store'>): Promise<void> {
  const used = store.datasets.folders();
  for (const parent of [home.datasets, home.unpacking])
    for (const name of await readdir(parent).catch(() => [])) {
      const path = join(parent, name);
      const facts = await stat(path).catch(() => null);
      if (!facts || used.has(path) || Date.now() - facts.ctimeMs < unusedAfterMs) continue;
      await rm(path, { recursive: true, force: true });
    }
}
