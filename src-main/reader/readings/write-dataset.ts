import type { ImportChoice } from '../../../src-shared/contract.ts';
import type { DatasetPlace } from '../../data/list-images.ts';
import { type TreeOrigin, writeTree } from '../../data/write-tree.ts';

/** Unpacks a dataset into a folder; tells how many of its files are there. Errors: as `writeTree`. */
export const writeDataset = (
  {
    dataset,
    choice,
    unpackedFolder,
    to,
  }: { dataset: DatasetPlace; choice: ImportChoice; unpackedFolder: string; to: string },
  tell: (written: { done: number; total: number }) => void,
): Promise<TreeOrigin> =>
  writeTree(dataset, choice, unpackedFolder, to, (done, total) => tell({ done, total }));
