import type { DatasetPreview, ImportChoice } from '../../../src-shared/contract.ts';
import type { DatasetPlace } from '../../data/list-images.ts';
import { previewDataset } from '../../data/preview.ts';

/** What an import would read; tells now and then that it goes on. Errors: as `previewDataset`. */
export const preview = (
  {
    dataset,
    choice,
    unpackedFolder,
  }: { dataset: DatasetPlace; choice: ImportChoice; unpackedFolder: string },
  tell: (none: null) => void,
): Promise<DatasetPreview> => previewDataset(dataset, choice, unpackedFolder, () => tell(null));
