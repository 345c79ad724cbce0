import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readFacts } from '../../src-main/data/file-facts.ts';
import type { FoundImage } from '../../src-main/data/formats/format.ts';
import { type ImportedImages, type ImportOptions, importImages } from '../../src-main/data/import-images.ts';
import { type DatasetPlace, listImages } from '../../src-main/data/list-images.ts';
import { resolvePlace } from '../../src-main/data/unpacked.ts';
import type { ImportChoice } from '../../src-shared/contract.ts';
import { temporaryFolder } from './pictures.ts';

type Given = Omit<ImportOptions, 'readFacts' | 'found' | 'listing'> & ImportChoice;

/** `importImages` of a folder, or of a file in it, with everything read in this very process. */
export async function importFolder(
  at: string | DatasetPlace,
  { format, layout, columns, values, links, groupBy, ...options }: Given,
): Promise<ImportedImages> {
  const dataset = typeof at === 'string' ? { folder: at, file: null } : at;
  const choice = { format, layout, columns, values, links, groupBy };
  const unpacked = join(temporaryFolder(), 'unpacked');
  mkdirSync(unpacked);
  const found = new Map<string, FoundImage>();
  const listing = await listImages(dataset, choice, unpacked, (images) => {
    for (const image of images) found.set(image.path, image);
  });
  return importImages(dataset.folder, {
    ...options,
    readFacts: (place) => readFacts(resolvePlace(place, unpacked)),
    found: [...found.values()],
    listing,
  });
}
