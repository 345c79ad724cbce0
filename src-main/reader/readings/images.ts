import type { ImportChoice } from '../../../src-shared/contract.ts';
import type { FoundImage } from '../../data/formats/format.ts';
import { type DatasetPlace, type Listing, listImages } from '../../data/list-images.ts';

/** The images of a dataset, told in batches, and what else it holds. Errors: as `listImages`. */
export const images = (
  {
    dataset,
    choice,
    unpackedFolder,
  }: { dataset: DatasetPlace; choice: ImportChoice; unpackedFolder: string },
  tell: (found: FoundImage[]) => void,
): Promise<Listing> => listImages(dataset, choice, unpackedFolder, tell);
