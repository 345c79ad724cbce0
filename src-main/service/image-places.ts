import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Locator, type Place, placeIn } from '../data/locator.ts';
import { resolvePlace } from '../data/unpacked.ts';
import type { Base } from './base.ts';

interface LocatedSample {
  path: string;
  locator?: Locator | null;
}

/** The file of a dataset that a sample is in. */
export const fileOfSample = (folder: string, { path, locator }: LocatedSample): string =>
  join(folder, locator?.file ?? path);

/** Where a sample is to be read. A file that is gone has no place in what was unpacked of it: the place is then the file. */
export function readablePlace({ home }: Pick<Base, 'home'>, folder: string, sample: LocatedSample): Place {
  const place = placeIn(folder, sample);
  try {
    return resolvePlace(place, home.unpacked);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { folder, locator: { file: place.locator.file } };
  }
}

/** Makes sure that whatever samples need is unpacked. For an archive that is gone nothing is
 * done: what reads it says so. Errors: as of data/unpacked.ts. */
export async function unpackFor(
  { home, reader }: Pick<Base, 'home' | 'reader'>,
  folder: string,
  samples: Iterable<LocatedSample>,
): Promise<void> {
  const needed = new Map<string, Locator>();
  for (const { locator } of samples) {
    if (locator?.packed && existsSync(join(folder, locator.file)))
      needed.set(JSON.stringify([locator.file, locator.packed]), locator);
  }
  for (const locator of needed.values()) {
    const input = { place: { folder, locator }, unpackedFolder: home.unpacked };
    await reader.read('unpack', input, folder);
  }
}
